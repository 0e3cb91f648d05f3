import type { groupPictureCommands } from '@wafleet/contract';
import { S_WHATSAPP_NET, type WASocket } from '@whiskeysockets/baileys';
import { refusalCode } from './baileys-errors.js';
import type { HandlersOf } from './command-context.js';
import { readAnswer } from './group-requests/ask-group.js';
import { changeGroup, readGroup } from './group-requests/change-group.js';

const NO_PICTURE = 404;

export const groupPictureHandlers: HandlersOf<typeof groupPictureCommands> = {
  'get-group-picture': async (context, { group }) => {
    // WhatsApp says in the same way that there is no picture and that there is no group.
    await readGroup(context, group);
    const url = await readAnswer(pictureUrl(context.socket, group));
    return url === undefined ? {} : { url };
  },

  // Baileys' `updateProfilePicture` needs a library that scales pictures.
  'set-group-picture': async (context, { group, image }) => {
    const content = [{ tag: 'picture', attrs: { type: 'image' }, content: Buffer.from(image, 'base64') }];
    const attrs = { target: group, to: S_WHATSAPP_NET, type: 'set', xmlns: 'w:profile:picture' };
    await changeGroup(context, group, (socket) => socket.query({ tag: 'iq', attrs, content }));
    return {};
  },

  'remove-group-picture': async (context, { group }) => {
    await changeGroup(context, group, (socket) => socket.removeProfilePicture(group));
    return {};
  },
};

async function pictureUrl(socket: WASocket, group: string): Promise<string | undefined> {
  try {
    return await socket.profilePictureUrl(group, 'image');
  } catch (error) {
    if (refusalCode(error) === NO_PICTURE) return undefined;
    throw error;
  }
}

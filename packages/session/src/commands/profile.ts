import { PICTURE_LIMITS, type profileCommands, WafleetError } from '@wafleet/contract';
import { type Contact, jidNormalizedUser, S_WHATSAPP_NET, type WASocket } from '@whiskeysockets/baileys';
import { userOf } from '../identity/person-id.js';
import { readJpegSize } from '../media/jpeg-size.js';
import { modify } from './account-settings.js';
import type { HandlersOf } from './command-context.js';
import { aboutOf, pictureUrlOf } from './contacts.js';
import { readPrivacy, setPrivacy } from './privacy.js';
import { change } from './whatsapp-requests.js';

/** The account. `socket.user` has it as it was when the connection began, without a later name. */
function requireMe({ authState }: WASocket): Contact {
  const { me } = authState.creds;
  if (me === undefined) throw new WafleetError('UNAVAILABLE', 'The connection to WhatsApp has closed.');
  return me;
}

function ownId(socket: WASocket): string {
  return jidNormalizedUser(requireMe(socket).id);
}

/** @throws {WafleetError} PICTURE_INVALID. */
function requirePicture(image: Buffer): void {
  const { minPixels, maxPixels } = PICTURE_LIMITS;
  const size = readJpegSize(image);
  const refuse = (problem: string, message: string) =>
    new WafleetError('PICTURE_INVALID', message, { problem, ...size, minPixels, maxPixels });
  if (size === undefined) throw refuse('not-jpeg', 'The picture is not a JPEG.');
  if (size.width !== size.height) throw refuse('not-square', 'The picture is not square.');
  if (size.width < minPixels)
    throw refuse('too-small', `The picture has less than ${minPixels} pixels a side.`);
  if (size.width > maxPixels)
    throw refuse('too-large', `The picture has more than ${maxPixels} pixels a side.`);
}

export const profileHandlers: HandlersOf<typeof profileCommands> = {
  'get-profile': async ({ socket }) => {
    const id = ownId(socket);
    const [{ about, setAt }, pictureUrl] = await Promise.all([
      aboutOf(socket, id),
      pictureUrlOf(socket, id, 'full'),
    ]);
    const { lid, name } = requireMe(socket);
    return {
      phone: userOf(id) ?? '',
      lid: lid ? jidNormalizedUser(lid) : null,
      name: name || null,
      about,
      ...(setAt === undefined ? {} : { aboutSetAt: setAt }),
      pictureUrl,
    };
  },
  'set-profile-name': async ({ socket }, { name }) => {
    await modify(socket, { pushNameSetting: name }, '');
    return {};
  },
  'set-about': async ({ socket }, { about }) => {
    await change(socket.updateProfileStatus(about));
    return {};
  },
  'set-picture': async ({ socket }, { image }) => {
    const content = Buffer.from(image, 'base64');
    requirePicture(content);
    // Baileys would decode the picture in this process, which serves many tenants.
    const picture = { tag: 'picture', attrs: { type: 'image' }, content };
    const attrs = { to: S_WHATSAPP_NET, type: 'set', xmlns: 'w:profile:picture' };
    await change(socket.query({ tag: 'iq', attrs, content: [picture] }));
    return {};
  },
  'remove-picture': async ({ socket }) => {
    await change(socket.removeProfilePicture(ownId(socket)));
    return {};
  },
  'get-privacy': ({ socket }) => readPrivacy(socket, ownId(socket)),
  'set-privacy': async ({ socket }, setting) => {
    await setPrivacy(socket, setting);
    return {};
  },
  'set-presence': async ({ socket }, { presence }) => {
    // Baileys shows nothing without a name, and does not say so.
    if (!requireMe(socket).name) {
      throw new WafleetError('UNAVAILABLE', 'The phone has not yet shared the name of the account.');
    }
    await change(socket.sendPresenceUpdate(presence));
    return {};
  },
};

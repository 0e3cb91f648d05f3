import { type CommandFields, type historyCommands, WafleetError } from '@wafleet/contract';
import type { CommandContext, HandlersOf } from './command-context.js';
import { change } from './whatsapp-requests.js';

/** What phones are asked for by default, and at most. */
const MOST = 50;

/** The message before which to look. */
interface Anchor {
  readonly id: string;
  readonly fromMe: boolean;
  /** Seconds since 1970. */
  readonly at: number;
}

export const historyHandlers: HandlersOf<typeof historyCommands> = {
  'request-history': async (session, fields) => {
    const { socket, contacts } = session;
    const remoteJid = await contacts.findChat(socket, fields.chat);
    const { id, fromMe, at } = await findAnchor(session, fields);
    const key = { remoteJid, id, fromMe };
    const asked = socket.fetchMessageHistory(fields.count ?? MOST, key, at * 1_000);
    return { requestId: await change(asked) };
  },
};

/** @throws {WafleetError} MESSAGE_NOT_FOUND. */
async function findAnchor(
  { known, lists }: CommandContext,
  { chat, before }: CommandFields<'request-history'>,
): Promise<Anchor> {
  if (before === undefined) {
    const last = await lists.lastMessage(chat);
    if (last !== undefined) return last;
    throw new WafleetError('MESSAGE_NOT_FOUND', 'No message of this chat is known. Name one in `before`.');
  }
  const { messageId, fromMe, sentAt } = before;
  const kept = await known.findKept(messageId);
  const at = sentAt === undefined ? kept?.sentAt : Math.floor(Date.parse(sentAt) / 1_000);
  const isMine = fromMe ?? (kept === undefined ? undefined : kept.key.fromMe === true);
  if (at === undefined || isMine === undefined) {
    throw new WafleetError(
      'MESSAGE_NOT_FOUND',
      'The session does not know this message. Say `fromMe` and `sentAt` of it.',
    );
  }
  return { id: messageId, fromMe: isMine, at };
}

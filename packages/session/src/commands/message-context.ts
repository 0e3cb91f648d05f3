import type { CommandFields } from '@wafleet/contract';
import { isJidGroup, type proto, type WASocket } from '@whiskeysockets/baileys';
import { quoteOf } from '../content/quote.js';
import { fromBaileys } from './baileys-errors.js';
import type { CommandContext } from './command-context.js';
import { unanswered } from './recipients.js';

/** The answered message and the timer of a message: empty if it has none. */
export async function messageContext(
  session: CommandContext,
  jid: string,
  { quote, disappearing }: Pick<CommandFields<'send-message'>, 'quote' | 'disappearing'>,
): Promise<proto.IContextInfo> {
  const { socket, known, targets } = session;
  const expiration = disappearing ?? (await timerOf(session, socket, jid));
  return {
    ...(quote === undefined
      ? {}
      : await quoteOf(socket, await known.requireContent(quote.messageId), { chat: jid, targets })),
    ...(expiration > 0 ? { expiration } : {}),
  };
}

/** After how many seconds the messages of a group disappear; 0 for never. The timers of other chats are not known. */
async function timerOf({ groups }: CommandContext, socket: WASocket, jid: string): Promise<number> {
  if (!isJidGroup(jid)) return 0;
  try {
    // Baileys needs the group to send to it, and takes it from the same cache.
    const group = await groups.find(socket, jid);
    return group?.ephemeralDuration ?? 0;
  } catch (error) {
    throw fromBaileys(error, { otherwise: unanswered });
  }
}

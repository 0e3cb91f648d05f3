import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from '../world/account.js';
import { type GroupChat, isPerson } from '../world/chat.js';

/** What a person is doing in a chat. */
export type ChatState = 'composing' | 'recording' | 'paused';

/** Shows the online devices of the other people that a person types, records or has stopped. Nothing is stored. */
export function sendChatState(from: Account, to: Account | GroupChat, state: ChatState): void {
  const activity: BinaryNode =
    state === 'recording' ? { tag: 'composing', attrs: { media: 'audio' } } : { tag: state, attrs: {} };
  const attrs: Record<string, string> = isPerson(to)
    ? { from: from.lid }
    : { from: to.jid, participant: from.lid };
  for (const phone of isPerson(to) ? [to] : to.members()) {
    if (phone === from) continue;
    for (const device of phone.devices.values())
      device.send({ tag: 'chatstate', attrs, content: [activity] });
  }
}

import type { BaileysEventMap } from '@whiskeysockets/baileys';
import { listEvents } from './list-events.js';
import type { MappedEvent } from './mapped-event.js';

/** A label was put on a chat or a message, or taken off. WhatsApp does not say who wrote the message. */
export function mapLabelAssociation({
  association,
  type,
}: BaileysEventMap['labels.association']): MappedEvent[] {
  const change = { [type === 'add' ? 'added' : 'removed']: [association.labelId] };
  if (!('messageId' in association)) {
    return listEvents('chats.update', 'chats', [{ id: association.chatId, labels: change }]);
  }
  const key = { remoteJid: association.chatId, id: association.messageId };
  return listEvents('messages.update', 'updates', [{ key, update: { labelChange: change } }]);
}

import type { RemoteGroup } from './remote-group.js';
import type { RemotePhone } from './remote-phone.js';

/** A phone, or the number of one. */
export type Person = Pick<RemotePhone, 'number'> | string;

/** A person or a group; `status@broadcast` and groups' JIDs as strings. */
export type ChatName = Person | Pick<RemoteGroup, 'jid'>;

/** How a request names a person. */
export const personName = (person: Person): string => (typeof person === 'string' ? person : person.number);

/** How a request names a chat. */
export const chatName = (chat: ChatName): string =>
  typeof chat === 'string' || 'number' in chat ? personName(chat) : chat.jid;

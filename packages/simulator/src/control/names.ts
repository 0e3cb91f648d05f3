import type { RemoteGroup } from './remote-group.js';
import type { RemotePhone } from './remote-phone.js';

/** A phone, or the number of one. */
export type Person = Pick<RemotePhone, 'number'> | string;

/** A person or a group; `status@broadcast` and groups' JIDs as strings. */
export type ChatName = Person | Pick<RemoteGroup, 'jid'>;

/** The name of a person in a request. */
export const personName = (person: Person): string => (typeof person === 'string' ? person : person.number);

/** The name of a chat in a request. */
export const chatName = (chat: ChatName): string =>
  typeof chat === 'string' || 'number' in chat ? personName(chat) : chat.jid;

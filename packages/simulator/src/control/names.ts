/** A person's phone, or its number. */
export type Person = { readonly number: string } | string;

/** A person or a group; `status@broadcast` and groups' JIDs as strings. */
export type ChatName = Person | { readonly jid: string };

/** The name of a person in a request. */
export const personName = (person: Person): string => (typeof person === 'string' ? person : person.number);

/** The name of a chat in a request. */
export const chatName = (chat: ChatName): string =>
  typeof chat === 'string' || 'number' in chat ? personName(chat) : chat.jid;

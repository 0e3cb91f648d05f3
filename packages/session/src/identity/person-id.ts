/** One of the two ids of a person, without the device. A LID hides the phone number. */
export interface PersonId {
  readonly kind: 'lid' | 'number';
  /** The part before the `@`: the digits of the LID or of the number. */
  readonly user: string;
}

/** By the server of a JID. */
const KINDS: ReadonlyMap<string, PersonId['kind']> = new Map([
  ['lid', 'lid'],
  ['hosted.lid', 'lid'],
  ['s.whatsapp.net', 'number'],
  ['c.us', 'number'],
  ['hosted', 'number'],
]);

/** The part of a JID before its device, as Baileys' `jidDecode` gives it; undefined if it is not a JID. */
export function userOf(jid: string): string | undefined {
  const at = jid.indexOf('@');
  if (at < 0) return undefined;
  const end = Math.min(at, placeOf(':', jid, at), placeOf('_', jid, at));
  return jid.slice(0, end);
}

function placeOf(mark: string, jid: string, none: number): number {
  const place = jid.indexOf(mark);
  return place < 0 ? none : place;
}

/** Whether a stored value is the user part of an id: digits. */
export function isUser(stored: unknown): stored is string {
  return typeof stored === 'string' && /^\d+$/.test(stored);
}

/** Returns undefined if `jid` is not the id of a person: groups, broadcasts, channels, bots. */
export function personId(jid: string | null | undefined): PersonId | undefined {
  if (!jid) return undefined;
  const kind = KINDS.get(jid.slice(jid.indexOf('@') + 1));
  const user = kind && userOf(jid);
  return kind && user ? { kind, user } : undefined;
}

export function toLid(user: string): string {
  return `${user}@lid`;
}

export function toNumberId(user: string): string {
  return `${user}@s.whatsapp.net`;
}

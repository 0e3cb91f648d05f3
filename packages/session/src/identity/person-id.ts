import { jidDecode } from '@whiskeysockets/baileys';

/** One of the two ids of a person, without the device. A LID hides the phone number. */
export interface PersonId {
  readonly kind: 'lid' | 'number';
  /** The part before the `@`: the digits of the LID or of the number. */
  readonly user: string;
}

const KINDS: Readonly<Record<string, PersonId['kind']>> = {
  lid: 'lid',
  'hosted.lid': 'lid',
  's.whatsapp.net': 'number',
  'c.us': 'number',
  hosted: 'number',
};

/** Undefined for what is not the id of a person: groups, broadcasts, channels, bots. */
export function personId(jid: string | null | undefined): PersonId | undefined {
  const decoded = jidDecode(jid ?? undefined);
  const kind = decoded && KINDS[decoded.server];
  return decoded && kind && decoded.user !== '' ? { kind, user: decoded.user } : undefined;
}

export function toLid(user: string): string {
  return `${user}@lid`;
}

export function toNumberId(user: string): string {
  return `${user}@s.whatsapp.net`;
}

import { jidNormalizedUser, type WAMessageKey } from '@whiskeysockets/baileys';
import type { Me } from '../mapping/changes.js';

/** The author of a message, by each of the names that its key has: JIDs without a device. */
export function namesOf(key: WAMessageKey, me: Me): Set<string> {
  const names = key.fromMe
    ? [me?.lid, me?.id]
    : key.participant
      ? [key.participant, key.participantAlt]
      : [key.remoteJid, key.remoteJidAlt];
  return new Set(names.flatMap((name) => (name ? jidNormalizedUser(name) : [])));
}

/** The same names, plus the other known names of the same people. */
export async function withOtherNames(
  names: ReadonlySet<string>,
  otherNameOf: (jid: string) => Promise<string | undefined>,
): Promise<Set<string>> {
  const others = await Promise.all([...names].map(otherNameOf));
  return new Set([...names, ...others.filter((other) => other !== undefined)]);
}

export function shareName(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return [...some].some((name) => others.has(name));
}

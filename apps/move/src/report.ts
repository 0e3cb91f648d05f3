import type { BundleHeader, Note, ReadSession } from '@wafleet/session-bundle';

const MEANINGS: Readonly<Record<Note, string>> = {
  'unknown-name': 'files or fields that are not of a session were left out',
  malformed: 'records cannot be read and were left out; they are learnt again',
  repaired: 'files had the rest of an earlier text behind them',
  'key-mismatch': 'pre-keys whose halves do not belong together were left out',
  'old-pre-keys': 'old pre-keys were left out',
  'sender-keys-converted': 'keys of groups were converted from Baileys 6',
  'moved-to-lid': 'records were moved to the ids that Baileys 7 uses',
  'devices-listed': 'lists of devices were made for Baileys 7',
  'pairs-completed': 'pairs of number and id were completed',
  'app-state-dropped': 'parts of the synchronised state are fetched again',
  'pre-keys-missing':
    'there are no pre-keys. Were all files given? First messages of new contacts may be late until new ones are stored',
  'signed-pre-key-unsigned': 'the signed pre-key is not signed by the session: new contacts may refuse it',
  'counters-repaired': 'counters were repaired',
  'device-signature-missing': "the device's own signature is not valid",
  'older-credentials': 'older credentials of the same device were left out',
  'own-session-dropped': 'the Signal session with the own phone is made again',
};

/** What a session is, in lines for a person. */
export function describeSession({ phone, device, session, notes }: ReadSession): string[] {
  const records = [...session.keys.values()].reduce((sum, { size }) => sum + size, 0);
  return [
    `It is the session of +${phone}, linked device ${device.split(':')[1]}, with ${records} records.`,
    ...describeNotes(notes),
  ];
}

/** What was repaired or left out, in lines for a person. */
export function describeNotes(notes: Readonly<Partial<Record<string, number>>>): string[] {
  const meanings: ReadonlyMap<string, string> = new Map(Object.entries(MEANINGS));
  return Object.entries(notes).map(([note, count]) => `  ${count}: ${meanings.get(note) ?? note}`);
}

export function describeBundle({ device, createdAt, kdf }: BundleHeader): string {
  const [phone, number] = device.split(':');
  const sealedWith = kdf.name === 'scrypt' ? 'a passphrase' : 'a key';
  return `It is a bundle of +${phone}, linked device ${number}, made at ${createdAt}, sealed with ${sealedWith}.`;
}

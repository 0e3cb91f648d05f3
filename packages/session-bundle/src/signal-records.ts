import { readKeyPair } from './credentials.js';
import type { RecordType } from './record-names.js';
import { readSenderKeys } from './sender-keys.js';
import { asBytes, asCount, asFields, asInteger, type Fields } from './values.js';

type Reader = (value: unknown) => unknown;

const DIGITS = /^\d{1,20}$/;

/** The record of each type in the form of Baileys 7, or undefined if no release can read the value. */
const READERS: Readonly<Record<RecordType, Reader>> = {
  'pre-key': readKeyPair,
  session: readSignalSession,
  'sender-key': (value) => readSenderKeys(value)?.record,
  'sender-key-memory': (value) => {
    const fields = asFields(value);
    return fields === undefined
      ? undefined
      : withValues(fields, (sent) => (sent === true ? true : undefined));
  },
  'app-state-sync-key': readAppStateKey,
  'app-state-sync-version': (value) => {
    const { version, hash, indexValueMap } = asFields(value) ?? {};
    const [number, bytes, macs] = [asCount(version), asBytes(hash, 128), asFields(indexValueMap ?? {})];
    if (number === undefined || bytes === undefined || macs === undefined) return undefined;
    const entries = withValues(macs, (entry) => {
      const valueMac = asBytes(asFields(entry)?.valueMac, 32);
      return valueMac === undefined ? undefined : { valueMac };
    });
    return { version: number, hash: bytes, indexValueMap: entries };
  },
  'lid-mapping': (value) => (typeof value === 'string' && DIGITS.test(value) ? value : undefined),
  'device-list': (value) => {
    const isList = Array.isArray(value) && value.every((device) => DIGITS.test(String(device)));
    return isList ? value.map(String) : undefined;
  },
  tctoken: (value) => {
    const { token, timestamp, senderTimestamp } = asFields(value) ?? {};
    const bytes = asBytes(token);
    const [receivedAt, sentAt] = [asInteger(timestamp), asInteger(senderTimestamp)];
    if (bytes === undefined) return undefined;
    return {
      token: bytes,
      ...(receivedAt === undefined ? {} : { timestamp: String(receivedAt) }),
      ...(sentAt === undefined ? {} : { senderTimestamp: sentAt }),
    };
  },
  'identity-key': (value) => asBytes(value, 33),
};

/**
 * Returns a record in the form of Baileys 7. Undefined if no release can read the value: Baileys then obtains another
 * one, as for somebody whom it does not know yet.
 * @param value with its bytes revived.
 */
export function readSignalRecord(type: RecordType, value: unknown): unknown {
  return READERS[type](value);
}

function withValues<T>(fields: Fields, read: (value: unknown) => T | undefined): Record<string, T> {
  const entries = Object.entries(fields).flatMap(([name, field]) => {
    const value = read(field);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

/** A key of 32 bytes. One release of Evolution API stored some again as 44 useless bytes. */
function readAppStateKey(value: unknown): unknown {
  const fields = asFields(value);
  const keyData = asBytes(fields?.keyData, 32);
  if (keyData === undefined) return undefined;
  const fingerprint = asFields(fields?.fingerprint);
  const devices: unknown = fingerprint?.deviceIndexes;
  const timestamp = asInteger(fields?.timestamp);
  return {
    keyData,
    fingerprint: {
      rawId: asCount(fingerprint?.rawId) ?? 0,
      currentIndex: asCount(fingerprint?.currentIndex) ?? 0,
      deviceIndexes: Array.isArray(devices) ? devices.flatMap((index) => asCount(index) ?? []) : [],
    },
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}

/** What libsignal stores of a Signal session with one device: text with base64 in it, unchanged since Baileys 6. */
function readSignalSession(value: unknown): unknown {
  const record = asFields(value);
  const sessions = asFields(record?._sessions);
  if (record?.version !== 'v1' || sessions === undefined) return undefined;
  const all = Object.values(sessions).map(asFields);
  if (all.length === 0 || !all.every((session) => session !== undefined && isSignalSession(session))) {
    return undefined;
  }
  return all.filter(isOpenSession).length <= 1 ? record : undefined;
}

function isSignalSession(session: Fields): boolean {
  const ratchet = asFields(session.currentRatchet);
  const ephemeral = asFields(ratchet?.ephemeralKeyPair);
  const info = asFields(session.indexInfo);
  return (
    asFields(session._chains) !== undefined &&
    asBytes(ephemeral?.pubKey, 32, 33) !== undefined &&
    asBytes(ephemeral?.privKey, 32) !== undefined &&
    asBytes(ratchet?.rootKey, 32) !== undefined &&
    asBytes(ratchet?.lastRemoteEphemeralKey, 32, 33) !== undefined &&
    asBytes(info?.baseKey, 32, 33) !== undefined &&
    asBytes(info?.remoteIdentityKey, 32, 33) !== undefined &&
    typeof info?.closed === 'number'
  );
}

function isOpenSession(session: Fields | undefined): boolean {
  return asFields(session?.indexInfo)?.closed === -1;
}

/** The identity key of the peer of a Signal session's open state, 33 bytes with Signal's 0x05. */
export function peerIdentityOf(record: unknown): Buffer | undefined {
  const sessions = Object.values(asFields(asFields(record)?._sessions) ?? {}).map(asFields);
  const open = sessions.find(isOpenSession) ?? sessions[0];
  const key = asBytes(asFields(open?.indexInfo)?.remoteIdentityKey, 32, 33);
  return key?.length === 32 ? Buffer.concat([Buffer.of(5), key]) : key;
}

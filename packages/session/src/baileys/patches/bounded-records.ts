import { GroupCipher } from '@whiskeysockets/baileys/lib/Signal/Group/index.js';
import { SenderKeyRecord } from '@whiskeysockets/baileys/lib/Signal/Group/sender-key-record.js';
import type { SenderKeyState } from '@whiskeysockets/baileys/lib/Signal/Group/sender-key-state.js';
import { type SignalChain, type SignalRecord, signalModule } from '../internals.js';
import { call } from '../untyped.js';

/**
 * How many closed chains a Signal session keeps, about 100 bytes each. Signal's own library keeps 5. A message may be
 * late by this number of changes of direction.
 */
const MAX_CLOSED_CHAINS = 40;
/** How many keys of skipped messages a record keeps. Signal's own library keeps the same number for each chain. */
const MAX_MESSAGE_KEYS = 2_000;

/**
 * Bounds the Signal records of an account, which are read and written with each message.
 *
 * libsignal never removes a closed chain, so a record grows by 105 bytes with each change of direction. It bounds how
 * many message keys one message creates, but not how many a record keeps: a contact who skips messages makes the record
 * grow without limit. When Baileys sends to a group it skips every second message key and keeps it, up to 2,000. It
 * also adds the state of a sender key again with each distribution, which displaces others.
 *
 * Removal condition: libsignal bounds its records, and Baileys no longer skips keys and adds states once
 * (docs/upstream.md, 22).
 */
export function boundSignalRecords(): void {
  const { prototype } = signalModule().SessionCipher;
  const { storeRecord } = prototype;
  prototype.storeRecord = function (record) {
    bound(record);
    return storeRecord.call(this, record);
  };
  useEverySenderKey();
  addStatesOnce();
}

function bound(record: SignalRecord): void {
  let free = MAX_MESSAGE_KEYS;
  for (const { _chains } of record.getSessions()) {
    let closed = 0;
    for (const [id, chain] of Object.entries(_chains).reverse()) {
      if (chain.chainKey.key === undefined) closed += 1;
      if (closed > MAX_CLOSED_CHAINS && chain.chainKey.key === undefined) delete _chains[id];
      else free -= keepNewest(chain, free);
    }
  }
}

/** Returns how many message keys the chain has left. */
function keepNewest({ messageKeys }: SignalChain, count: number): number {
  // The property names are numbers, so they are in ascending order.
  const counters = Object.keys(messageKeys);
  for (const counter of counters.splice(0, counters.length - count)) delete messageKeys[counter];
  return counters.length;
}

/** An account never decrypts its own messages to a group, so it never needs a message key again after sending. */
function useEverySenderKey(): void {
  const { prototype } = GroupCipher;
  const { encrypt } = prototype;
  prototype.encrypt = function (plaintext) {
    const getSenderKey = (state: SenderKeyState) => {
      state.getStructure().senderMessageKeys.length = 0;
      return call(this, 'getSenderKey', state, state.getSenderChainKey().getIteration());
    };
    const cipher: GroupCipher = Object.create(this, { getSenderKey: { value: getSenderKey } });
    return encrypt.call(cipher, plaintext);
  };
}

/** An existing state is better than the new one: it can have keys of messages before the distribution. */
function addStatesOnce(): void {
  const { prototype } = SenderKeyRecord;
  const { addSenderKeyState } = prototype;
  prototype.addSenderKeyState = function (id, iteration, chainKey, signatureKey) {
    const known = this.getSenderKeyState(id);
    const isSame = known !== undefined && isSameKey(signatureKey, known.getSigningKeyPublic());
    if (!isSame) addSenderKeyState.call(this, id, iteration, chainKey, signatureKey);
  };
}

/** Some keys are preceded by a byte for their type. */
function isSameKey(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.from(one.subarray(-32)).equals(other.subarray(-32));
}

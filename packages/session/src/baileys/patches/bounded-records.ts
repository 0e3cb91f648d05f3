import { GroupCipher } from '@whiskeysockets/baileys/lib/Signal/Group/index.js';
import { SenderKeyRecord } from '@whiskeysockets/baileys/lib/Signal/Group/sender-key-record.js';
import type { SenderKeyState } from '@whiskeysockets/baileys/lib/Signal/Group/sender-key-state.js';
import { type SignalChain, type SignalRecord, signalModule } from './internals.js';

/**
 * How many closed chains a Signal session keeps, about 100 bytes each. Signal's own library keeps 5: a message can
 * come late by as many changes of the direction.
 */
const MAX_CLOSED_CHAINS = 40;
/** How many keys of skipped messages a record keeps. Signal's own library keeps as many for each chain. */
const MAX_MESSAGE_KEYS = 2_000;

/**
 * Bounds the Signal records of an account, which are read and written with each message.
 *
 * libsignal never removes a closed chain, so a record grows by 105 bytes with each change of the direction, and it
 * bounds how many message keys one message makes, but not how many a record keeps: a contact who leaves out messages
 * makes it grow without end. Baileys' sending to groups leaves out every second message key and keeps it, up to 2,000,
 * and adds the state of a sender key once more with each distribution, which displaces others.
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
  // Their names are numbers, so they are in ascending order.
  const counters = Object.keys(messageKeys);
  for (const counter of counters.splice(0, counters.length - count)) delete messageKeys[counter];
  return counters.length;
}

/** What an account sends to a group it never decrypts, and it needs no key again. */
function useEverySenderKey(): void {
  const { prototype } = GroupCipher;
  const { encrypt } = prototype;
  const keyOf: unknown = Reflect.get(prototype, 'getSenderKey');
  if (typeof keyOf !== 'function') throw new Error('Baileys is not the release that this was written for');
  prototype.encrypt = function (plaintext) {
    const getSenderKey = (state: SenderKeyState) => {
      state.getStructure().senderMessageKeys.length = 0;
      return keyOf.call(this, state, state.getSenderChainKey().getIteration());
    };
    const cipher: GroupCipher = Object.create(this, { getSenderKey: { value: getSenderKey } });
    return encrypt.call(cipher, plaintext);
  };
}

/** A state that is there already is the better one: it can have keys of messages before the distribution. */
function addStatesOnce(): void {
  const { prototype } = SenderKeyRecord;
  const { addSenderKeyState } = prototype;
  prototype.addSenderKeyState = function (id, iteration, chainKey, signatureKey) {
    const known = this.getSenderKeyState(id);
    const isSame = known !== undefined && isSameKey(signatureKey, known.getSigningKeyPublic());
    if (!isSame) addSenderKeyState.call(this, id, iteration, chainKey, signatureKey);
  };
}

/** Some have a byte for the type of the key before them. */
function isSameKey(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.from(one.subarray(-32)).equals(other.subarray(-32));
}

import {
  type ChatModification,
  type ChatMutation,
  chatModificationToAppPatch,
  decodePatches,
  encodeSyncdPatch,
  type LTHashState,
  newLTHashState,
  proto,
  type WAPatchName,
} from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import {
  archiveChat,
  editLabel,
  muteChat,
  pushNameSetting,
  removeContact,
  saveContact,
  starMessage,
} from './actions.js';
import { AppStateCollections, AppStateConflictError } from './collections.js';
import { AppStateIntegrityError, PhoneAppState } from './phone-app-state.js';

const chat = '106825993066104@lid';

/** A companion that reads and writes app-state with Baileys' own code. It checks all MACs. */
class Companion {
  #state: LTHashState = newLTHashState();
  readonly #phone: PhoneAppState;
  readonly #collections: AppStateCollections;
  readonly #collection: WAPatchName;

  constructor(phone: PhoneAppState, collections: AppStateCollections, collection: WAPatchName) {
    this.#phone = phone;
    this.#collections = collections;
    this.#collection = collection;
  }

  async pull(): Promise<ChatMutation[]> {
    const patches = this.#collections
      .patchesSince(this.#collection, this.#state.version)
      .map((patch) => proto.SyncdPatch.decode(patch));
    const { state, mutationMap } = await decodePatches(
      this.#collection,
      patches,
      this.#state,
      this.#key,
      {},
      undefined,
      undefined,
      true,
    );
    this.#state = state;
    return Object.values(mutationMap);
  }

  async push(modification: ChatModification, tamper = false): Promise<number> {
    const { patch, state } = await encodeSyncdPatch(
      chatModificationToAppPatch(modification, chat),
      Buffer.from(this.#phone.key.keyId?.keyId ?? []).toString('base64'),
      this.#state,
      this.#key,
    );
    const encoded = proto.SyncdPatch.encode(
      tamper ? { ...patch, patchMac: Buffer.alloc(32) } : patch,
    ).finish();
    const version = await this.#phone.acceptPatch(this.#collection, encoded, this.#state.version);
    this.#state = state;
    return version;
  }

  get version(): number {
    return this.#state.version;
  }

  readonly #key = async () => proto.Message.AppStateSyncKeyData.fromObject({ ...this.#phone.key.keyData });
}

function account(collection: WAPatchName) {
  const collections = new AppStateCollections();
  const phone = new PhoneAppState(collections);
  return { collections, phone, companion: new Companion(phone, collections, collection) };
}

test("a companion reads the phone's patches, MACs and LT-hash included", async () => {
  const { phone, companion } = account('regular_low');
  expect(await phone.write(archiveChat(chat, true))).toBe(1);
  expect(await phone.write(starMessage({ chat, id: 'M1', fromMe: false }, true))).toBe(2);
  const mutations = await companion.pull();
  expect(mutations.map((mutation) => mutation.index)).toEqual([
    ['archive', chat],
    ['star', chat, 'M1', '0', '0'],
  ]);
  expect(mutations[0]?.syncAction.value?.archiveChatAction?.archived).toBe(true);
  expect(companion.version).toBe(2);
});

test('an index that is written again and again keeps the LT-hash of both sides equal', async () => {
  const { phone, companion } = account('regular_high');
  await phone.write(muteChat(chat, 1_800_000_000_000));
  await companion.pull();
  await phone.write(muteChat(chat, null));
  await phone.write(muteChat(chat, -1));
  const [mutation] = await companion.pull();
  expect(Number(mutation?.syncAction.value?.muteAction?.muteEndTimestamp)).toBe(-1);
  expect(companion.version).toBe(3);
});

test('a removed entry leaves the hash, so later patches still verify', async () => {
  const { phone, companion } = account('critical_unblock_low');
  const pn = '15551230001@s.whatsapp.net';
  await phone.write(saveContact(pn, chat, 'Carl C'));
  await phone.write(removeContact(pn));
  expect(phone.entry('contact', pn)).toBeUndefined();
  await phone.write(saveContact(pn, chat, 'Carl D'));
  await companion.pull();
  expect(companion.version).toBe(3);
  expect(phone.entry('contact', pn)?.contactAction?.fullName).toBe('Carl D');
});

test("the phone reads a companion's patch and goes on from it", async () => {
  const { phone, companion } = account('regular_low');
  await phone.write(archiveChat(chat, true));
  await companion.pull();
  expect(await companion.push({ pin: true })).toBe(2);
  expect(phone.entry('pin_v1', chat)?.pinAction?.pinned).toBe(true);
  await phone.write(archiveChat(chat, false));
  const [mutation] = await companion.pull();
  expect(mutation?.syncAction.value?.archiveChatAction?.archived).toBe(false);
});

test('a patch based on an outdated version is refused with a conflict', async () => {
  const { phone, companion } = account('regular_low');
  await phone.write(archiveChat(chat, true));
  await expect(companion.push({ pin: true })).rejects.toThrow(AppStateConflictError);
});

test('a patch with a broken MAC is refused', async () => {
  const { companion } = account('regular_low');
  await expect(companion.push({ pin: true }, true)).rejects.toThrow(AppStateIntegrityError);
});

test('collections count their versions apart', async () => {
  const { phone, collections } = account('regular');
  await phone.write(editLabel('7', { name: 'VIP', color: 3, deleted: false }));
  await phone.write(pushNameSetting('Alice New'));
  expect(collections.version('regular')).toBe(1);
  expect(collections.version('critical_block')).toBe(1);
  expect(phone.entries.map((entry) => entry.index)).toEqual([['label_edit', '7'], ['setting_pushName']]);
});

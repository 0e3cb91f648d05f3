import { WafleetError } from '@wafleet/contract';
import {
  type BinaryNode,
  chatModificationToAppPatch,
  encodeSyncdPatch,
  ensureLTHashStateVersion,
  getBinaryNodeChild,
  newLTHashState,
  processSyncAction,
  proto,
  S_WHATSAPP_NET,
  type WASocket,
} from '@whiskeysockets/baileys';
import { whatsAppRefused } from './baileys-errors.js';
import { change } from './whatsapp-requests.js';

type Modification = Parameters<WASocket['chatModify']>[0];

/** A change of what all devices of the account share. */
export type SettingsPatch = Parameters<WASocket['appPatch']>[0];

const { REMOVE } = proto.SyncdMutation.SyncdOperation;
/** WhatsApp's code for a change that another device overtook. */
const CONFLICT = 409;
const ATTEMPTS = 3;

/**
 * Changes what all devices of the account share: chats, contacts, labels, the name. Emits the event that follows. A
 * change that another device overtakes is made again on top of that device's. To remove what is not set does nothing.
 *
 * Baileys' own `appPatch` has three defects here (docs/upstream.md, 35). It takes a conflict for a success, so that the
 * change is lost. It remembers what it has removed as set, and removes what is not set: both make its hash of the
 * settings differ from that of the phone, so that later changes are refused.
 * @throws {WafleetError} as `change` does; UNAVAILABLE if nothing was changed: the phone has not yet shared the keys of
 * the settings, or other devices go on changing them.
 */
export async function changeSettings(socket: WASocket, patch: SettingsPatch): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if (await change(socket.appStatePatchMutex.mutex(() => apply(socket, patch)))) return;
  }
  throw unavailable('Other devices change the settings of the account at the same time.');
}

/** The same for a change that Baileys knows. @param id of the chat or person; empty for the account. */
export function modify(socket: WASocket, modification: Modification, id: string): Promise<void> {
  return changeSettings(socket, chatModificationToAppPatch(modification, id));
}

/** Resolves to false if another device overtook the change. */
async function apply(socket: WASocket, wanted: SettingsPatch): Promise<boolean> {
  const { creds, keys } = socket.authState;
  const { myAppStateKeyId: keyId, me } = creds;
  if (!keyId || me === undefined) throw unavailable('The phone has not yet shared the keys of the settings.');
  const { type: name } = wanted;
  // Baileys changes the settings under this name of a transaction too.
  const outcome = await keys.transaction(async () => {
    await socket.resyncAppState([name], false);
    const { [name]: stored } = await keys.get('app-state-sync-version', [name]);
    const before = stored ? ensureLTHashStateVersion(stored) : newLTHashState();
    const { patch, state } = await encodeSyncdPatch(wanted, keyId, before, async (id) => {
      const { [id]: key } = await keys.get('app-state-sync-key', [id]);
      return key;
    });
    if (wanted.operation === REMOVE) {
      const index = Buffer.from(patch.mutations?.[0]?.record?.index?.blob ?? []).toString('base64');
      if (before.indexValueMap[index] === undefined) return 'not-set';
      delete state.indexValueMap[index];
    }
    const code = errorOf(await socket.query(toRequest(name, before.version, patch)));
    if (code === CONFLICT) return 'overtaken';
    if (code !== undefined) throw whatsAppRefused(code);
    await keys.set({ 'app-state-sync-version': { [name]: state } });
    return 'changed';
  }, me.id);
  if (outcome === 'changed') {
    const { syncAction: value, index } = wanted;
    processSyncAction({ syncAction: { value }, index }, socket.ev, me);
  }
  return outcome !== 'overtaken';
}

function toRequest(name: string, version: number, patch: proto.ISyncdPatch): BinaryNode {
  const content = proto.SyncdPatch.encode(patch).finish();
  const collection = {
    tag: 'collection',
    attrs: { name, version: String(version), return_snapshot: 'false' },
    content: [{ tag: 'patch', attrs: {}, content }],
  };
  return {
    tag: 'iq',
    attrs: { to: S_WHATSAPP_NET, type: 'set', xmlns: 'w:sync:app:state' },
    content: [{ tag: 'sync', attrs: {}, content: [collection] }],
  };
}

/** The code of an answer's error, which stands inside of the answer; undefined if the change was taken. */
function errorOf(answer: BinaryNode | undefined): number | undefined {
  const collection = getBinaryNodeChild(getBinaryNodeChild(answer, 'sync'), 'collection');
  if (collection?.attrs.type !== 'error') return undefined;
  return Number(getBinaryNodeChild(collection, 'error')?.attrs.code ?? CONFLICT);
}

function unavailable(message: string): WafleetError {
  return new WafleetError('UNAVAILABLE', message);
}

import {
  ALL_WA_PATCH_NAMES,
  type BaileysEventEmitter,
  type BaileysEventMap,
  type BinaryNode,
  type ChatMutation,
  decodePatches,
  decodeSyncdSnapshot,
  extractSyncdPatches,
  newLTHashState,
  processSyncAction,
  S_WHATSAPP_NET,
  type WAPatchName,
  type WASocket,
} from '@whiskeysockets/baileys';
import { isBaileysEvent, mapBaileysEvent } from '../mapping/index.js';
import type { MappedEvent, MappingContext } from '../mapping/mapped-event.js';

/** WhatsApp sends a state in parts. A state that needs more is cut off there. */
const MAX_ROUNDS = 50;

/**
 * Reads what all devices of the account share, from its beginning, and returns the events that it stands for. What is
 * stored of it, and what is published, stay as they are. Rejects if WhatsApp or the phone's keys do not answer.
 * @param requestOptions how files are fetched: through the session's proxy, if it has one.
 */
export async function readAppState(
  socket: WASocket,
  requestOptions: RequestInit,
  context: MappingContext,
): Promise<MappedEvent[]> {
  const { keys, creds } = socket.authState;
  const mutations = new Map<string, ChatMutation>();
  const keyOf = async (id: string) => (await keys.get('app-state-sync-key', [id]))[id];
  const states = new Map(ALL_WA_PATCH_NAMES.map((name) => [name, newLTHashState()]));
  for (let round = 0; states.size > 0 && round < MAX_ROUNDS; round += 1) {
    const versions = [...states].map(([name, { version }]) => ({ name, version }));
    const answer = await extractSyncdPatches(await socket.query(toRequest(versions)), requestOptions);
    for (const { name } of versions) {
      const { patches = [], hasMorePatches = false, snapshot } = answer[name] ?? {};
      let state = states.get(name) ?? newLTHashState();
      if (snapshot) {
        const decoded = await decodeSyncdSnapshot(name, snapshot, keyOf, undefined);
        state = decoded.state;
        addAll(mutations, decoded.mutationMap);
      }
      if (patches.length > 0) {
        const decoded = await decodePatches(name, patches, state, keyOf, requestOptions);
        state = decoded.state;
        addAll(mutations, decoded.mutationMap);
      }
      if (hasMorePatches) states.set(name, state);
      else states.delete(name);
    }
  }
  const events: MappedEvent[] = [];
  const collector = collectorOf(events, context);
  const { me = { id: '' } } = creds;
  for (const mutation of mutations.values()) processSyncAction(mutation, collector, me);
  return events;
}

function addAll(mutations: Map<string, ChatMutation>, more: Readonly<Record<string, ChatMutation>>): void {
  for (const [index, mutation] of Object.entries(more)) mutations.set(index, mutation);
}

function toRequest(
  versions: readonly { readonly name: WAPatchName; readonly version: number }[],
): BinaryNode {
  const content = versions.map(({ name, version }) => ({
    tag: 'collection',
    attrs: { name, version: String(version), return_snapshot: String(version === 0) },
  }));
  return {
    tag: 'iq',
    attrs: { to: S_WHATSAPP_NET, type: 'set', xmlns: 'w:sync:app:state' },
    content: [{ tag: 'sync', attrs: {}, content }],
  };
}

/** Takes what Baileys would emit. */
function collectorOf(events: MappedEvent[], context: MappingContext): BaileysEventEmitter {
  return {
    on: () => {},
    off: () => {},
    removeAllListeners: () => {},
    emit: <E extends keyof BaileysEventMap>(event: E, data: BaileysEventMap[E]) => {
      if (isBaileysEvent(event)) events.push(...mapBaileysEvent(event, data, context));
      return true;
    },
  };
}

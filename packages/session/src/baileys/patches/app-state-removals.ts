import { type ChatUpdate, proto } from '@whiskeysockets/baileys';

type Value = proto.ISyncActionValue;

/** A value from which Baileys concludes neither that the chat is archived nor that it is not. See `saysNothing`. */
const NO_CHANGE: Value = { archiveChatAction: {} };

/** The value of an entry after its removal, by the first part of its index. Baileys ignores other removals. */
const REMOVED: Readonly<Record<string, (before: Value) => Value>> = {
  contact: () => ({ contactAction: {} }),
  lid_contact: () => ({ lidContactAction: {} }),
  archive: () => ({ archiveChatAction: { archived: false } }),
  mute: () => ({ muteAction: { muted: false } }),
  pin_v1: () => ({ pinAction: { pinned: false } }),
  lock: () => ({ lockChatAction: { locked: false } }),
  star: () => ({ starAction: { starred: false } }),
  label_edit: ({ labelEditAction }) => ({ labelEditAction: { ...labelEditAction, deleted: true } }),
  label_jid: () => ({ labelAssociationAction: { labeled: false } }),
  label_message: () => ({ labelAssociationAction: { labeled: false } }),
  // For these two Baileys reads only the index, and would emit the deletion once more.
  deleteMessageForMe: () => NO_CHANGE,
  deleteChat: () => NO_CHANGE,
};

/** Whether a change of a chat results from a removal that changes nothing. */
export function saysNothing(update: ChatUpdate): boolean {
  const fields = Object.keys(update).filter((field) => field !== 'id' && field !== 'conditional');
  return fields.length === 1 && fields[0] === 'archived' && update.archived === undefined;
}

function kindOf(index: Uint8Array | null | undefined): string {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(index ?? []).toString());
    return Array.isArray(parsed) ? String(parsed[0]) : '';
  } catch {
    return '';
  }
}

/** Whether the value that is decrypted and decoded next, in this same turn of the event loop, belongs to a removal. */
let isRemovalNext = false;

/** Baileys reads a mutation's bytes, decrypts and decodes them synchronously (Utils/chat-utils.js). */
function announceRemoval(mutation: proto.ISyncdMutation): void {
  const value = mutation.record?.value;
  const blob = value?.blob;
  if (mutation.operation !== proto.SyncdMutation.SyncdOperation.REMOVE || !value || !blob) return;
  Object.defineProperty(value, 'blob', {
    enumerable: true,
    get: () => {
      isRemovalNext = true;
      queueMicrotask(() => {
        isRemovalNext = false;
      });
      return blob;
    },
  });
}

/**
 * Makes Baileys emit entries that are removed from an account's app state. `decodeSyncdMutations` (Utils/chat-utils.js)
 * uses the difference between setting and removing only for the hash. It handles a removal as if the entry had been
 * set, with the value that the removal repeats, or without a value. So a chat that was unarchived is emitted as
 * archived, and a deleted contact causes no event. Here a removed entry gets the value that expresses the removal. Its
 * index, its hash and its signatures are unchanged.
 *
 * Removal condition: Baileys passes the operation of a mutation on to `processSyncAction` (docs/upstream.md, 15).
 */
export function tellRemovals(): void {
  const { SyncdPatch, SyncdMutations, SyncActionData } = proto;
  const decoders = {
    patch: SyncdPatch.decode.bind(SyncdPatch),
    mutations: SyncdMutations.decode.bind(SyncdMutations),
    action: SyncActionData.decode.bind(SyncActionData),
  };
  SyncdPatch.decode = (...args) => {
    const patch = decoders.patch(...args);
    patch.mutations.forEach(announceRemoval);
    return patch;
  };
  SyncdMutations.decode = (...args) => {
    const mutations = decoders.mutations(...args);
    mutations.mutations.forEach(announceRemoval);
    return mutations;
  };
  SyncActionData.decode = (...args) => {
    const isRemoval = isRemovalNext;
    isRemovalNext = false;
    const action = decoders.action(...args);
    if (!isRemoval) return action;
    const before = action.value ?? {};
    const removed = REMOVED[kindOf(action.index)]?.(before) ?? {};
    action.value = { timestamp: before.timestamp ?? null, ...removed };
    return action;
  };
}

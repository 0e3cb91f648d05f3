import { deflateSync } from 'node:zlib';
import { proto } from '@whiskeysockets/baileys';
import { encryptMedia } from '../media/encryption.js';
import type { MediaStore } from '../media/media-store.js';

/** The kinds of history that a phone shares with a companion. */
export type HistorySyncKind = keyof typeof proto.HistorySync.HistorySyncType;

/** One chunk of history. */
export interface HistoryChunk {
  readonly kind: HistorySyncKind;
  readonly conversations?: readonly proto.IConversation[];
  readonly pushnames?: readonly proto.IPushname[];
  readonly phoneNumberToLidMappings?: readonly proto.IPhoneNumberToLIDMapping[];
  /** Position of the chunk in its sync. */
  readonly chunkOrder?: number;
  /** Percent of the sync that is done with this chunk. */
  readonly progress?: number;
  /** Id of the request that this chunk answers (`ON_DEMAND` only). */
  readonly requestId?: string;
}

/**
 * The peer message that carries a chunk of history: a `HistorySync` deflated into the notification itself
 * (`initialHistBootstrapInlinePayload`), so that a companion needs no media host to read it.
 */
export function historySyncMessage(chunk: HistoryChunk): proto.IMessage {
  return notification(chunk, { initialHistBootstrapInlinePayload: deflatedHistory(chunk) });
}

/** The same as a file of the media host, as WhatsApp's phones send all but the smallest chunks. */
export async function historyFileMessage(chunk: HistoryChunk, media: MediaStore): Promise<proto.IMessage> {
  const { blob, ...file } = await encryptMedia(deflatedHistory(chunk), 'md-msg-hist');
  return notification(chunk, { ...file, directPath: media.put(blob) });
}

function deflatedHistory(chunk: HistoryChunk): Buffer {
  const history = proto.HistorySync.encode({
    syncType: proto.HistorySync.HistorySyncType[chunk.kind],
    conversations: [...(chunk.conversations ?? [])],
    pushnames: [...(chunk.pushnames ?? [])],
    phoneNumberToLidMappings: [...(chunk.phoneNumberToLidMappings ?? [])],
    chunkOrder: chunk.chunkOrder ?? 0,
    progress: chunk.progress ?? 100,
  }).finish();
  return deflateSync(history);
}

function notification(chunk: HistoryChunk, content: proto.Message.IHistorySyncNotification): proto.IMessage {
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
      historySyncNotification: {
        ...content,
        syncType: proto.Message.HistorySyncType[chunk.kind],
        chunkOrder: chunk.chunkOrder ?? 0,
        progress: chunk.progress ?? 100,
        ...(chunk.requestId === undefined ? {} : { peerDataRequestSessionId: chunk.requestId }),
      },
    },
  };
}

/** The peer message that gives a companion the keys of the account's app-state. */
export function appStateKeyShareMessage(keys: readonly proto.Message.IAppStateSyncKey[]): proto.IMessage {
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE,
      appStateSyncKeyShare: { keys: [...keys] },
    },
  };
}

import type { proto } from '@whiskeysockets/baileys';
import type { AccountSettings } from '../app-state/account-settings.js';
import type { MediaStore } from '../media/media-store.js';
import { createMessageId } from '../messages/message-id.js';
import type { Outbox } from '../messages/outbox.js';
import { unixSeconds } from '../unix-seconds.js';
import type { Account, Device } from '../world/account.js';
import { type GroupChat, isPerson } from '../world/chat.js';
import type { PerAccount } from '../world/per-account.js';
import type { World } from '../world/world.js';
import {
  appStateKeyShareMessage,
  type HistoryChunk,
  historyFileMessage,
  historySyncMessage,
} from './history-sync.js';

/** A message of the past, written before the companion was linked. */
export interface PastMessage {
  readonly id: string;
  /** The author. In a 1:1 chat: the phone's own account or the other person. */
  readonly sender: Account;
  readonly message: proto.IMessage;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/** The part of its history that a phone shares in one chunk. */
export interface ShareOptions extends Pick<HistoryChunk, 'kind' | 'chunkOrder' | 'progress'> {
  /** The chats to share. Default: all of them. */
  readonly chats?: readonly (Account | GroupChat)[];
}

/** What the history of a phone uses of the simulator. */
export interface HistoryContext {
  readonly world: World;
  readonly outboxes: PerAccount<Outbox>;
  readonly settings: PerAccount<AccountSettings>;
  readonly media: MediaStore;
  /** Whether history is sent as files of the media host. */
  readonly syncsByFile: boolean;
}

/** A phone's past chats, which it shares with new companions and on demand. */
export class PhoneHistory {
  readonly #phone: Account;
  readonly #simulator: HistoryContext;
  /** By chat, newest first. */
  readonly #chats = new Map<Account | GroupChat, PastMessage[]>();

  constructor(phone: Account, simulator: HistoryContext) {
    this.#phone = phone;
    this.#simulator = simulator;
  }

  /** Adds a past message to a chat without notifying any device. Default time: the time of this call. */
  remember(
    chat: Account | GroupChat,
    content: Pick<PastMessage, 'message'> & Partial<Omit<PastMessage, 'message'>>,
  ): PastMessage {
    const past: PastMessage = {
      id: content.id ?? createMessageId(),
      sender: content.sender ?? this.#phone,
      message: content.message,
      timestamp: content.timestamp ?? unixSeconds(),
    };
    const messages = [...(this.#chats.get(chat) ?? []), past].sort((a, b) => b.timestamp - a.timestamp);
    this.#chats.set(chat, messages);
    return past;
  }

  /**
   * What a new companion gets: the app-state's keys, the chats, the push names, the end of the recent history, and the
   * complete history if it wants that.
   */
  async welcome(device: Device): Promise<void> {
    const { state } = this.#simulator.settings.of(this.#phone);
    await this.#outbox.sendPeer(device, appStateKeyShareMessage([state.key]));
    await this.share({ kind: 'INITIAL_BOOTSTRAP' }, device);
    await this.share({ kind: 'PUSH_NAME' }, device);
    await this.share({ kind: 'RECENT', chunkOrder: 1, chats: [] }, device);
    if (device.wantsFullHistory) await this.share({ kind: 'FULL', chunkOrder: 2 }, device);
  }

  /** Sends a chunk to one companion, or to all. */
  async share(options: ShareOptions, ...devices: readonly Device[]): Promise<void> {
    const people = [...this.#chats.keys()].filter(isPerson);
    const { chats = [...this.#chats.keys()], ...rest } = options;
    const message = await this.#message({
      ...rest,
      phoneNumberToLidMappings: people
        .filter(({ hidesNumber }) => !hidesNumber)
        .map(({ jid, lid }) => ({ pnJid: jid, lidJid: lid })),
      ...(options.kind === 'PUSH_NAME'
        ? { pushnames: people.map(({ lid, name }) => ({ id: lid, pushname: name })) }
        : { conversations: chats.map((chat) => this.#conversation(chat)) }),
    });
    for (const device of devices.length > 0 ? devices : this.#phone.devices.values()) {
      await this.#outbox.sendPeer(device, message);
    }
  }

  /** Answers a companion that asks for messages older than one it has. */
  async answer(
    device: Device,
    request: proto.Message.PeerDataOperationRequestMessage.IHistorySyncOnDemandRequest,
    requestId: string,
  ): Promise<void> {
    const jid = request.chatJid ?? '';
    const { world } = this.#simulator;
    const chat = world.groups.get(jid) ?? world.phone(jid);
    const before = Number(request.oldestMsgTimestampMs ?? Number.POSITIVE_INFINITY) / 1000;
    const older = (chat ? (this.#chats.get(chat) ?? []) : [])
      .filter(({ id, timestamp }) => timestamp <= before && id !== request.oldestMsgId)
      .slice(0, request.onDemandMsgCount ?? undefined);
    const messages = older.map((past) => ({ message: this.#webMessage(past, jid) }));
    const conversations = [{ id: jid, messages }];
    const chunk = { kind: 'ON_DEMAND', conversations, requestId, chunkOrder: 1 } as const;
    await this.#outbox.sendPeer(device, await this.#message(chunk));
  }

  async #message(chunk: HistoryChunk): Promise<proto.IMessage> {
    const { syncsByFile, media } = this.#simulator;
    return syncsByFile ? historyFileMessage(chunk, media) : historySyncMessage(chunk);
  }

  get #outbox(): Outbox {
    return this.#simulator.outboxes.of(this.#phone);
  }

  #conversation(chat: Account | GroupChat): proto.IConversation {
    const id = isPerson(chat) ? chat.lid : chat.jid;
    const past = this.#chats.get(chat) ?? [];
    return {
      id,
      name: isPerson(chat) ? chat.name : chat.subject,
      ...(isPerson(chat) && !chat.hidesNumber ? { pnJid: chat.jid } : {}),
      ...(isPerson(chat) && chat.username !== undefined ? { username: chat.username } : {}),
      messages: past.map((message) => ({ message: this.#webMessage(message, id) })),
    };
  }

  #webMessage({ id, sender, message, timestamp }: PastMessage, chat: string): proto.IWebMessageInfo {
    const fromMe = sender === this.#phone;
    const participant = chat.endsWith('@g.us') && !fromMe ? { participant: sender.lid } : {};
    return { key: { remoteJid: chat, fromMe, id, ...participant }, message, messageTimestamp: timestamp };
  }
}

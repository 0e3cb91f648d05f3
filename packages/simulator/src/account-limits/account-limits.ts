import { type BinaryNode, getBinaryNodeChild } from '@whiskeysockets/baileys';
import { IqError } from '../protocol/iq-error.js';
import { unixSeconds } from '../unix-seconds.js';
import type { Account } from '../world/account.js';
import { type Chat, isPerson } from '../world/chat.js';

/** WhatsApp's code for a message to somebody whom a locked account may not write to. */
const RESTRICTED = 463;

/** How many new chats an account may begin in a cycle. Times are in seconds since 1970. */
export interface NewChatQuota {
  readonly total: number;
  readonly used: number;
  readonly cycleStart: number;
  readonly cycleEnd: number;
  readonly status: 'NONE' | 'FIRST_WARNING' | 'SECOND_WARNING' | 'CAPPED';
}

/** What WhatsApp lets an account write. At first, everything. */
export class AccountLimits {
  readonly #phone: Account;
  #timeLock: { readonly until: number; readonly type: string } | undefined;
  #newChats: NewChatQuota | undefined;
  #quotaRefusal: number | undefined;

  constructor(phone: Account) {
    this.#phone = phone;
  }

  /**
   * Locks the account: it can write only to people who have given it a privacy token. Notifies its devices. The lock does
   * not end by itself.
   * @param until what WhatsApp names as the end, seconds since 1970.
   */
  lock(until: number, type = 'WEB_COMPANION_ONLY'): void {
    this.#timeLock = { until, type };
    this.#notify('NotificationUserReachoutTimelockUpdate', {
      xwa2_notify_account_reachout_timelock: this.timeLock,
    });
  }

  /** Ends the lock, and notifies the account's devices. */
  unlock(): void {
    this.#timeLock = undefined;
    this.#notify('NotificationUserReachoutTimelockUpdate', {
      xwa2_notify_account_reachout_timelock: { is_active: false },
    });
  }

  /** Sets the quota of new chats, and notifies the account's devices. */
  setNewChats(quota: NewChatQuota): void {
    this.#newChats = quota;
    this.#notify('MessageCappingInfoNotification', {
      xwa2_notify_new_chat_messages_capping_info_update: this.newChats,
    });
  }

  /** Answers queries for the quota with an error of GraphQL; undefined ends that. */
  refuseQuota(code: number | undefined): void {
    this.#quotaRefusal = code;
  }

  /** The lock as clients get it. */
  get timeLock(): object {
    if (this.#timeLock === undefined) {
      return { is_active: false, time_enforcement_ends: '0', enforcement_type: 'DEFAULT' };
    }
    const { until, type } = this.#timeLock;
    return { is_active: true, time_enforcement_ends: String(until), enforcement_type: type };
  }

  /** The quota as clients get it; null if the account has none. Throws the IqError of `refuseQuota`. */
  get newChats(): object | null {
    if (this.#quotaRefusal !== undefined) throw new IqError(this.#quotaRefusal, 'refused');
    if (this.#newChats === undefined) return null;
    const { total, used, cycleStart, cycleEnd, status } = this.#newChats;
    return {
      total_quota: total,
      used_quota: used,
      cycle_start_timestamp: String(cycleStart),
      cycle_end_timestamp: String(cycleEnd),
      server_sent_timestamp: String(unixSeconds()),
      ote_status: 'NOT_ELIGIBLE',
      mv_status: 'NOT_ELIGIBLE',
      capping_status: status,
    };
  }

  /** The code with which a message of the account is refused; undefined if it may be sent. */
  refusalOf(message: BinaryNode, chat: Chat | undefined): number | undefined {
    if (this.#timeLock === undefined || chat === undefined) return undefined;
    if (!isPerson(chat) || chat === this.#phone) return undefined;
    const given = this.#phone.privacyTokens.get(chat);
    const shown = getBinaryNodeChild(message, 'tctoken')?.content;
    return given !== undefined && shown instanceof Uint8Array && given.equals(shown) ? undefined : RESTRICTED;
  }

  #notify(operation: string, data: object): void {
    const content = Buffer.from(JSON.stringify({ data }));
    for (const device of this.#phone.devices.values()) {
      device.notify('mex', [{ tag: 'update', attrs: { op_name: operation }, content }]);
    }
  }
}

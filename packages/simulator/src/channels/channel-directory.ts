import { IqError } from '../protocol/iq-error.js';
import type { Account } from '../world/account.js';
import { Channel } from './channel.js';

/** All channels of a simulator. */
export class ChannelDirectory {
  readonly #channels = new Map<string, Channel>();

  create(owner: Account, name: string, description?: string): Channel {
    const channel = new Channel(owner, name, description);
    this.#channels.set(channel.jid, channel);
    return channel;
  }

  find(jid: string): Channel | undefined {
    return this.#channels.get(jid);
  }

  /** @throws {IqError} 404. */
  require(jid: string): Channel {
    const channel = this.#channels.get(jid);
    if (channel === undefined) throw new IqError(404, 'item-not-found');
    return channel;
  }

  byInviteCode(code: string): Channel | undefined {
    return [...this.#channels.values()].find(({ inviteCode }) => inviteCode === code);
  }

  /** The channels that a person follows or runs. */
  of(person: Account): Channel[] {
    return [...this.#channels.values()].filter((channel) => channel.roleOf(person) !== 'GUEST');
  }

  delete(channel: Channel): void {
    this.#channels.delete(channel.jid);
  }
}

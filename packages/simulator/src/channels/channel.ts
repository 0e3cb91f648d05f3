import { randomBytes, randomInt } from 'node:crypto';
import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import { createMessageId } from '../messages/message-id.js';
import { IqError } from '../protocol/iq-error.js';
import { unixSeconds } from '../unix-seconds.js';
import type { Account, Device } from '../world/account.js';

export type ChannelRole = 'OWNER' | 'ADMIN' | 'SUBSCRIBER' | 'GUEST';

/** A message of a channel. */
export interface ChannelPost {
  readonly id: string;
  /** The channel's own number of it. */
  readonly serverId: number;
  readonly sender: Account;
  /** The stanza's `type`. */
  readonly type: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** The content; undefined once it was deleted. */
  message: proto.IMessage | undefined;
  isEdited: boolean;
  views: number;
  /** The emoji of each person who has reacted. */
  readonly reactions: Map<Account, string>;
}

/** The number of a channel's first message. */
const FIRST_SERVER_ID = 100;

/** A channel: its admins write, its followers read. Nothing in it is encrypted. */
export class Channel {
  readonly jid: string;
  readonly inviteCode = `0029V${randomBytes(12).toString('hex').slice(0, 17)}`;
  readonly createdAt = unixSeconds();
  readonly owner: Account;
  readonly admins = new Set<Account>();
  readonly followers = new Set<Account>();
  readonly muted = new Set<Account>();
  readonly posts: ChannelPost[] = [];
  name: string;
  description: string;
  /** The path of the picture on the media host. */
  picturePath: string | undefined;

  constructor(owner: Account, name: string, description = '') {
    this.jid = `120363${randomInt(10 ** 6, 10 ** 7)}${randomInt(10 ** 5, 10 ** 6)}@newsletter`;
    this.owner = owner;
    this.name = name;
    this.description = description;
  }

  roleOf(person: Account): ChannelRole {
    if (person === this.owner) return 'OWNER';
    if (this.admins.has(person)) return 'ADMIN';
    return this.followers.has(person) ? 'SUBSCRIBER' : 'GUEST';
  }

  /** @throws {IqError} 403. */
  requireAdmin(person: Account): void {
    if (!['OWNER', 'ADMIN'].includes(this.roleOf(person))) throw new IqError(403, 'forbidden');
  }

  /**
   * Adds a message and delivers it to the devices of all others who read the channel. The same id a second time is the
   * same message.
   * @param from the device that sent it, which gets no copy. @throws {IqError} 403.
   */
  post(
    by: Account,
    message: proto.IMessage,
    { id = createMessageId(), type = 'text', from }: { id?: string; type?: string; from?: Device } = {},
  ): ChannelPost {
    this.requireAdmin(by);
    const known = this.posts.find((each) => each.id === id);
    if (known !== undefined) return known;
    const serverId = (this.posts.at(-1)?.serverId ?? FIRST_SERVER_ID - 1) + 1;
    const post: ChannelPost = {
      ...{ id, serverId, type, sender: by, message, timestamp: unixSeconds() },
      ...{ isEdited: false, views: 0, reactions: new Map() },
    };
    this.posts.push(post);
    for (const reader of new Set([this.owner, ...this.admins, ...this.followers])) {
      for (const device of reader.devices.values()) {
        if (device !== from) device.deliver(this.#stanza(post, reader));
      }
    }
    return post;
  }

  /** @throws {IqError} 404 if there is no such message; 403 if it is of somebody else. */
  edit(by: Account, id: string, message: proto.IMessage): ChannelPost {
    const post = this.#find((each) => each.id === id);
    if (post.sender !== by) throw new IqError(403, 'forbidden');
    post.message = message;
    post.isEdited = true;
    return post;
  }

  /** @throws {IqError} 404 if there is no such message; 403 if the person may not delete it. */
  delete(by: Account, id: string): ChannelPost {
    const post = this.#find((each) => each.id === id);
    this.requireAdmin(by);
    post.message = undefined;
    return post;
  }

  /** Sets or removes the reaction of a person. @throws {IqError} 404 if there is no such message. */
  react(by: Account, serverId: number, code: string | undefined): ChannelPost {
    const post = this.#find((each) => each.serverId === serverId);
    if (code) post.reactions.set(by, code);
    else post.reactions.delete(by);
    return post;
  }

  #find(matches: (post: ChannelPost) => boolean): ChannelPost {
    const post = this.posts.find(matches);
    if (post === undefined) throw new IqError(404, 'item-not-found');
    return post;
  }

  #stanza(post: ChannelPost, reader: Account): BinaryNode {
    const attrs = { ...attrsOf(post, reader), from: this.jid };
    return { tag: 'message', attrs, content: [plaintextOf(post)] };
  }
}

/** The attributes that a message has in a stanza and in a list. */
export function attrsOf(post: ChannelPost, reader: Account): Record<string, string> {
  const { id, serverId, type, timestamp, sender } = post;
  const isSender = sender === reader ? { is_sender: 'true' } : {};
  return { id, server_id: String(serverId), type, t: String(timestamp), ...isSender };
}

export function plaintextOf({ message }: ChannelPost): BinaryNode {
  const content = message === undefined ? new Uint8Array() : proto.Message.encode(message).finish();
  return { tag: 'plaintext', attrs: {}, content };
}

import { z } from 'zod';

/** Digits with the country code: the name of a phone in the control API. */
const number = z.string().regex(/^\d{7,15}$/, 'a phone number of 7 to 15 digits');
/** A person's number or a group's JID. */
const chat = z
  .string()
  .regex(/^(\d{7,15}|[\d-]+@g\.us|status@broadcast)$/, "a number, a group's JID or status@broadcast");
const seconds = z.number().int().nonnegative();
const base64 = z.base64();
const addressing = z.enum(['lid', 'pn']);
const numbers = z.array(number);
/** What identifies a message: its id, its author and the chat that it was sent to. */
const message = z.object({ id: z.string().min(1), sender: number, chat });

/** Why a connection is closed. See `CloseCause`. */
const closeCause = z.union([
  z.object({ code: z.number().int() }),
  z.object({ failure: z.number().int() }),
  z.enum(['replaced', 'device-removed', 'unknown', 'stream-end', 'socket', 'tcp', 'downgrade']),
]);
const milliseconds = z.number().int().nonnegative();

/** The bodies of the control API's requests. Bytes are in base64, times in seconds since 1970. */
export const bodies = {
  nothing: z.object({}).optional(),
  addPhone: z.object({
    name: z.string().min(1),
    number: number.optional(),
    username: z.string().min(1).optional(),
    hidesNumber: z.boolean().optional(),
  }),
  scan: z.object({ qr: z.string().min(1) }),
  enterCode: z.object({ code: z.string().min(8) }),
  passkey: z.object({
    /** See `PasskeyDemand`. Null ends the demand; absent leaves it. */
    demand: z
      .object({
        hasPasskey: z.boolean(),
        challengeTtlMs: milliseconds,
        handoffTtlMs: milliseconds,
        listsCredential: z.boolean(),
        requestOptions: z.enum(['inline', 'absent', 'unreadable']),
        dbscRegistration: z.boolean(),
        continueAfterMs: z.union([milliseconds, z.literal('never')]),
        primaryNonceLength: z.number().int().min(0).max(1_000),
      })
      .partial()
      .nullable()
      .optional(),
    foreground: z.boolean().optional(),
  }),
  signPasskey: z.object({
    options: z.object({ challenge: z.string().min(1), rpId: z.string().min(1).optional() }),
    /** See `AssertionFlaws`. */
    flaws: z
      .object({
        origin: z.string(),
        challenge: z.string(),
        rpId: z.string(),
        type: z.string(),
        wrongKey: z.boolean(),
        wrongCredential: z.boolean(),
        userHandle: z.literal('wrong').nullable(),
        userPresent: z.boolean(),
        userVerified: z.boolean(),
        signCount: z.number().int().min(0).max(0xffff_ffff),
      })
      .partial()
      .optional(),
  }),
  acceptPasskey: z.object({ code: z.string().min(8) }),
  /** With a cause, the client's connection is closed. */
  refusePasskey: z.object({ cause: closeCause.optional() }).optional(),
  unlink: z.object({ device: z.string().optional() }),
  send: z
    .object({
      to: chat,
      text: z.string().optional(),
      /** A `proto.Message` in protobuf's JSON form. */
      message: z.record(z.string(), z.unknown()).optional(),
      addressing: addressing.optional(),
      id: z.string().min(1).optional(),
      forwarded: z.boolean().optional(),
      timestamp: seconds.optional(),
      /** The message that a text answers, and its text. */
      quoted: message.extend({ text: z.string() }).optional(),
      /** Who sees a status update. */
      audience: numbers.optional(),
      unavailable: z
        .enum([
          'placeholder',
          'view_once_unavailable_fanout',
          'hosted_unavailable_fanout',
          'bot_unavailable_fanout',
        ])
        .optional(),
    })
    .refine((body) => (body.text === undefined) !== (body.message === undefined), 'either text or message'),
  sendMedia: z.object({
    to: chat,
    kind: z.enum(['image', 'video', 'audio', 'document', 'sticker']),
    data: base64,
    mimetype: z.string().optional(),
    caption: z.string().optional(),
    fileName: z.string().optional(),
    voice: z.boolean().optional(),
    addressing: addressing.optional(),
  }),
  react: z.object({ message, text: z.string(), addressing: addressing.optional() }),
  edit: z.object({ message, text: z.string(), addressing: addressing.optional() }),
  revoke: z.object({ message, addressing: addressing.optional() }),
  markRead: z.object({ ids: z.array(z.string()).min(1), played: z.boolean().optional() }),
  presence: z.object({
    type: z.enum(['available', 'unavailable']),
    lastSeen: z.union([seconds, z.literal('deny')]).optional(),
  }),
  showState: z.object({ chat, state: z.enum(['composing', 'recording', 'paused']) }),
  call: z.object({ to: number, video: z.boolean().optional(), group: z.string().optional() }),
  callAction: z.object({ action: z.enum(['accept', 'reject', 'terminate', 'timeOut']) }),
  /** Without `data` the picture is removed. */
  picture: z.object({ data: base64.optional(), group: z.string().optional() }),
  block: z.object({ person: number, blocked: z.boolean() }),
  /** Changes the fields that are given. */
  chatSettings: z.object({
    chat,
    archived: z.boolean().optional(),
    /** Milliseconds since 1970, -1 for always, null to unmute. */
    mutedUntil: z.number().int().nullable().optional(),
    pinned: z.boolean().optional(),
    read: z.boolean().optional(),
    locked: z.boolean().optional(),
    cleared: z.literal(true).optional(),
    deleted: z.literal(true).optional(),
  }),
  messageSettings: z.object({
    chat,
    id: z.string().min(1),
    fromMe: z.boolean(),
    starred: z.boolean().optional(),
    deletedForMe: z.literal(true).optional(),
  }),
  /** A null name deletes the contact. */
  contact: z.object({
    person: number,
    name: z.string().min(1).nullable(),
    hideNumber: z.boolean().optional(),
  }),
  /** With a name, the label is created or changed. With a chat, it is added to the chat or removed from it. */
  label: z.object({
    id: z.string().min(1),
    name: z.string().min(1).optional(),
    color: z.number().int().optional(),
    deleted: z.boolean().optional(),
    chat: chat.optional(),
    labeled: z.boolean().optional(),
  }),
  profile: z.object({
    pushName: z.string().min(1).optional(),
    locale: z.string().optional(),
    unarchiveChats: z.boolean().optional(),
    disappearingSeconds: seconds.optional(),
  }),
  remember: z.object({
    chat,
    text: z.string(),
    sender: number.optional(),
    timestamp: seconds.optional(),
    id: z.string().min(1).optional(),
  }),
  shareHistory: z.object({
    kind: z.enum(['INITIAL_BOOTSTRAP', 'RECENT', 'FULL', 'PUSH_NAME']),
    chats: z.array(chat).optional(),
    chunkOrder: z.number().int().optional(),
    progress: z.number().int().optional(),
  }),
  createGroup: z.object({ creator: number, subject: z.string().min(1), members: numbers }),
  groupMembers: z.object({
    by: number,
    action: z.enum(['add', 'remove', 'promote', 'demote']),
    members: numbers.min(1),
  }),
  /** Changes the fields that are given. An empty description deletes it. */
  group: z.object({
    by: number,
    subject: z.string().min(1).optional(),
    description: z.string().optional(),
    settings: z
      .object({
        announce: z.boolean(),
        restrict: z.boolean(),
        joinApproval: z.boolean(),
        membersCanAdd: z.boolean(),
        ephemeralSeconds: seconds,
      })
      .partial()
      .optional(),
  }),
  by: z.object({ by: number }),
  joinGroup: z.object({ inviteCode: z.string().min(1) }),
  joinRequest: z.object({ by: number, person: number, approve: z.boolean() }),
  memberTag: z.object({ by: number, label: z.string() }),
  fault: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('disconnect'),
      /** A number, a device's JID, or all connections. */
      target: z.string(),
      cause: closeCause,
    }),
    z.object({ kind: z.literal('reject-upgrades'), status: z.number().int().min(400).max(599) }),
    z.object({ kind: z.literal('refuse-logins'), reason: z.number().int(), number: number.optional() }),
    z.object({ kind: z.literal('refuse-messages'), error: z.number().int(), number: number.optional() }),
    z.object({
      kind: z.literal('dirty'),
      number,
      type: z.enum(['groups', 'account_sync']),
    }),
    /** The account's devices have only `left` one-time pre-keys left. */
    z.object({ kind: z.literal('spend-pre-keys'), number, left: z.number().int().nonnegative() }),
    /** A file on the media host: `path` is its direct path. `lose`: phones have lost it too. */
    z.object({
      kind: z.literal('media'),
      path: z.string(),
      fault: z.enum(['expire', 'lose', 'damage', 'stall']),
    }),
    z.object({ kind: z.literal('silence') }),
    z.object({ kind: z.literal('resume') }),
  ]),
  load: z.object({
    /** Messages per second for all linked accounts together. */
    perSecond: z.number().positive().max(100_000),
    /** Number of people who send. Default: 20. */
    senders: z.number().int().positive().max(10_000).optional(),
    /** The text is `<text> <counter> <milliseconds since 1970>`. Default of `<text>`: `load`. */
    text: z.string().optional(),
    /** Only these accounts get messages. */
    to: numbers.optional(),
    /** Stops by itself after this number of messages. */
    total: z.number().int().positive().optional(),
  }),
} as const;

/** The body of a request, by its name. */
export type Body<Name extends keyof typeof bodies> = z.infer<(typeof bodies)[Name]>;

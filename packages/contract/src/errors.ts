import { z } from 'zod';

interface ErrorKind {
  /** The HTTP status a REST answer carries. */
  readonly status: number;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** What it means and what to do, for docs/errors.md. */
  readonly meaning: string;
}

/**
 * Every error a client can see, over REST, in a Socket.IO acknowledgement or as a connect error.
 * docs/errors.md mirrors it; a test keeps them the same.
 */
export const ERRORS = {
  UNAUTHORIZED: {
    status: 401,
    retryable: false,
    meaning: 'No API key was given, or it is unknown or revoked. Send a valid key.',
  },
  KEY_EXPIRED: {
    status: 401,
    retryable: false,
    meaning: 'The API key was valid until `details.expiredAt`. Ask for a new one.',
  },
  FORBIDDEN: {
    status: 403,
    retryable: false,
    meaning:
      'The credentials are valid but do not allow this; `details.scope` names the scope that the API key lacks, where it is that.',
  },
  VALIDATION_FAILED: {
    status: 400,
    retryable: false,
    meaning: 'The request has a missing, unknown or mistyped field; `details` lists them.',
  },
  UNKNOWN_EVENT: {
    status: 400,
    retryable: false,
    meaning: 'A subscription names an event that does not exist; `details.events` lists the unknown names.',
  },
  TOO_MANY_ITEMS: {
    status: 400,
    retryable: false,
    meaning: 'A list in the request is longer than allowed; `details.limit` is the bound.',
  },
  SUBSCRIPTION_LOST: {
    status: 409,
    retryable: false,
    meaning:
      'The client was away for so long that what it was subscribed to is forgotten. Subscribe again, with `since` if its last eventId is known.',
  },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false, meaning: 'The request body exceeds the size limit.' },
  REQUEST_TIMEOUT: {
    status: 408,
    retryable: true,
    meaning: 'The request did not arrive completely in time. Send it again on a new connection.',
  },
  NOT_ACCEPTABLE: {
    status: 406,
    retryable: false,
    meaning: 'The Accept header names no type that this resource has.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    retryable: false,
    meaning:
      'Another request with other fields had this `Idempotency-Key` in the last 24 hours. Nothing was done. Use a new key for each thing to be done; see [idempotency.md](idempotency.md).',
  },
  IDEMPOTENCY_IN_PROGRESS: {
    status: 409,
    retryable: true,
    meaning:
      'A request with this `Idempotency-Key` is being carried out. Try again after `details.retryAfterMs`, with the same key, for its answer.',
  },
  IDEMPOTENCY_ANSWER_NOT_KEPT: {
    status: 409,
    retryable: false,
    meaning:
      'The request with this `Idempotency-Key` was carried out, and answered with `details.status` if known. That answer was too large to keep, or cannot be read any more. Nothing was done again.',
  },
  IDEMPOTENCY_NOT_SUPPORTED: {
    status: 400,
    retryable: false,
    meaning:
      'This call takes no `Idempotency-Key`, because its answer is secret and is not stored. Nothing was done. Call it without the header.',
  },
  ROUTE_NOT_FOUND: { status: 404, retryable: false, meaning: 'There is no such method and path.' },
  TENANT_NOT_FOUND: { status: 404, retryable: false, meaning: 'No tenant has this id.' },
  KEY_NOT_FOUND: { status: 404, retryable: false, meaning: 'No API key has this id.' },
  SESSION_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: 'The tenant of this API key has no session of this id, or the key has a list without it.',
  },
  SESSION_EXISTS: { status: 409, retryable: false, meaning: 'The tenant already has a session of this id.' },
  SESSION_NOT_OPEN: {
    status: 409,
    retryable: true,
    meaning:
      'The session is not connected to WhatsApp; `details.status` says what it is instead. One that is closed, logged_out or failed stays so until `POST /api/sessions/:id/restart`.',
  },
  QR_NOT_AVAILABLE: {
    status: 409,
    retryable: true,
    meaning:
      'The session shows no QR code now; `details.status` and `details.reason` say why. One that is closed, logged_out or failed stays so until `POST /api/sessions/:id/restart`.',
  },
  ACCOUNT_IN_USE: {
    status: 409,
    retryable: false,
    meaning:
      'A session of this cluster, perhaps of another tenant, has the same linked device of the account. Two would disconnect each other. Remove that one, or link the phone again by a QR code.',
  },
  BUNDLE_INVALID: {
    status: 422,
    retryable: false,
    meaning:
      'What was to be imported is not a session that can be run. `details.problem` says why, `details.path` where; see [moving-in.md](moving-in.md).',
  },
  BUNDLE_PASSPHRASE_WRONG: {
    status: 422,
    retryable: false,
    meaning: 'The bundle does not open: it has another passphrase or key, or is damaged.',
  },
  NOT_LINKED: {
    status: 409,
    retryable: false,
    meaning: 'The session is not linked to a phone, or is being removed, so there is nothing to hand out.',
  },
  SESSION_TOO_LARGE: {
    status: 422,
    retryable: false,
    meaning:
      'The session has more than a bundle may have (`details.records`, `details.bytes`), so no import would take it. Nothing was changed; link the phone again by a QR code where the session is to go.',
  },
  ALREADY_LINKED: { status: 409, retryable: false, meaning: 'The session is already linked to a phone.' },
  PASSKEY_NOT_REQUESTED: {
    status: 409,
    retryable: false,
    meaning:
      'WhatsApp asks for no passkey now, or for something else: `details.stage` is what it waits for. Link the session until its status has the reason `passkey`.',
  },
  PASSKEY_ASSERTION_INVALID: {
    status: 422,
    retryable: false,
    meaning:
      'The signature was made for something else, as `details.problem` says: another `challenge`, `origin`, `rp-id`, `type` or `credential`, or without `user-verification`; `malformed` is one that cannot be read. Nothing was sent. Sign the options of `GET …/passkey` again.',
  },
  PASSKEY_REFUSED: {
    status: 422,
    retryable: false,
    meaning:
      'WhatsApp refused the signature of the passkey; `details.code` is its code where known. The link begins again: another challenge is needed.',
  },
  RECIPIENT_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: 'The recipient is not on WhatsApp.',
  },
  LISTS_OFF: {
    status: 409,
    retryable: false,
    meaning:
      'The session keeps no lists of chats and contacts. Switch them on with `PATCH /api/sessions/:id` and `{"settings": {"lists": true}}`: see [lists.md](lists.md).',
  },
  CHAT_NOT_LISTED: {
    status: 404,
    retryable: false,
    meaning: 'The list of the session does not have this chat: nothing is known of it.',
  },
  MESSAGE_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning:
      'The session does not know the message, or its content no longer. A call on a message can name it by `chat` and `sender` as well; what quotes or forwards a message needs its content: see [sending.md](sending.md).',
  },
  MESSAGE_UNSUITABLE: {
    status: 409,
    retryable: false,
    meaning:
      'The message does not allow this; `details.problem` says why: `not-own` (of somebody else), `not-text`, `not-a-poll`, `no-such-option`, `not-forwardable`, `channel` (of a channel), `status`.',
  },
  NUMBER_NOT_KNOWN: {
    status: 409,
    retryable: false,
    meaning:
      'WhatsApp has not named the phone number of this LID, and the call needs it. Name the person by the number.',
  },
  PICTURE_INVALID: {
    status: 422,
    retryable: false,
    meaning:
      'The picture is not a JPEG that WhatsApp takes: `details.problem` is `not-jpeg`, `not-square`, `too-small` or `too-large`, and `details` has its size and the bounds, in pixels. Nothing was changed.',
  },
  CALL_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning:
      'No call of this id rings, as far as the worker of the session knows. Send `from` of the event with the request.',
  },
  JOB_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning:
      'The tenant of this API key has no job of this id, it ended more than seven days ago, or the key has a list without its session.',
  },
  JOB_ENDED: {
    status: 409,
    retryable: false,
    meaning: 'The job has ended, as `details.state` says, so it can neither be paused nor go on.',
  },
  JOB_EXPIRED: {
    status: 409,
    retryable: false,
    meaning:
      'The `expiresAt` of the job came before all messages were sent: the others are not sent any more. Only the `error` of a job has this code; `details.waitedFor` is the error that the job waited for last, if any.',
  },
  GROUP_NOT_FOUND: { status: 404, retryable: false, meaning: 'WhatsApp knows no group of this id.' },
  NOT_GROUP_MEMBER: {
    status: 403,
    retryable: false,
    meaning: 'The account is not a participant of the group, or no longer.',
  },
  NOT_GROUP_ADMIN: {
    status: 403,
    retryable: false,
    meaning:
      'The account is a participant of the group, but only its admins may do this. Nothing was changed, except for what `details.done` names.',
  },
  GROUP_FULL: {
    status: 409,
    retryable: false,
    meaning: 'The group has as many participants as WhatsApp allows.',
  },
  INVITATION_INVALID: {
    status: 404,
    retryable: false,
    meaning:
      'WhatsApp knows no such invitation to a group, or it was revoked. Ask an admin of the group for the link that is valid now.',
  },
  CHANNEL_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: 'WhatsApp knows no channel of this id or invitation, or it was deleted.',
  },
  NOT_CHANNEL_ADMIN: {
    status: 403,
    retryable: false,
    meaning: 'Only admins of the channel may do this; only its owner may delete it. Nothing was changed.',
  },
  BUSINESS_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: 'The account is not one of a business, or has no catalogue.',
  },
  ORDER_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: 'WhatsApp knows no order of this id and token.',
  },
  WHATSAPP_REFUSED: {
    status: 502,
    retryable: false,
    meaning:
      'WhatsApp refused the request; `details` holds its `code` and `reason` where known, and of a message the `messageId`.',
  },
  ACCOUNT_RESTRICTED: {
    status: 409,
    retryable: true,
    meaning:
      'WhatsApp does not let the account begin this chat (its code 463); nothing was sent. `details.until` is the end of the time lock if WhatsApp names it, `details.messageId` the id of the message. Do not try again before, and not often: each try makes it worse. See [staying-unrestricted.md](staying-unrestricted.md).',
  },
  ADDRESSING_OUTDATED: {
    status: 502,
    retryable: true,
    meaning:
      'WhatsApp refused the message because its addressing is out of date (its code 479), also after the devices of the recipient were looked up again; nothing was sent. `details.messageId` is the id of the message.',
  },
  PACED: {
    status: 429,
    retryable: true,
    meaning:
      'The session has sent as much as its settings allow: `details.resource` is `paced_sends` or `paced_new_chats`, `details.limit` the bound. Nothing was sent. Try again after `details.retryAfterMs`, with the same `Idempotency-Key`. See [staying-unrestricted.md](staying-unrestricted.md).',
  },
  SENDS_PAUSED: {
    status: 429,
    retryable: true,
    meaning:
      'WhatsApp has refused messages of this account, so the session begins no new chats until `details.until`; messages to the chats that it has go on. Nothing was sent. Try again after `details.retryAfterMs`, with the same `Idempotency-Key`. See [staying-unrestricted.md](staying-unrestricted.md).',
  },
  MEDIA_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: 'The session got no message of this id in the last seven days, or one without a file.',
  },
  MEDIA_GONE: {
    status: 410,
    retryable: false,
    meaning:
      'WhatsApp keeps the file no longer, and the phone that the session is linked to could not upload it again.',
  },
  MEDIA_TOO_LARGE: {
    status: 413,
    retryable: false,
    meaning:
      'The file is larger than the service hands out or takes; `details.limit` is the bound, in bytes.',
  },
  MEDIA_UNAVAILABLE: {
    status: 502,
    retryable: true,
    meaning: 'WhatsApp’s media server did not give the file, or gave another one than the message tells of.',
  },
  TOO_MANY_DOWNLOADS: {
    status: 429,
    retryable: true,
    meaning:
      'As many files are being downloaded as may be at a time, for the tenant or by this edge (`details.limit`). Finish some, or try again after `details.retryAfterMs`.',
  },
  FILE_NOT_FETCHED: {
    status: 422,
    retryable: true,
    meaning:
      'The file at the URL of the request could not be fetched, as `details.problem` says; nothing was sent. Look whether the URL is public and right, then try again.',
  },
  FILE_UNREADABLE: {
    status: 422,
    retryable: false,
    meaning:
      'The file is not what its type of content needs, or cannot be read, as `details.problem` says; nothing was sent. Send another file, or send it as a document.',
  },
  CONVERTER_MISSING: {
    status: 501,
    retryable: false,
    meaning:
      'The file has to be converted, and the service lacks the program for that, which `details.tool` names; nothing was sent. Send the file in the form that docs/sending.md names, or ask the operator to install the program.',
  },
  UPLOAD_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning:
      'The session has no upload of this id, or it has expired, or it is of another type; nothing was sent. Upload the file again.',
  },
  UPLOAD_FAILED: {
    status: 502,
    retryable: true,
    meaning: 'WhatsApp’s media server did not take the file; nothing was sent. Try again.',
  },
  TOO_MANY_UPLOADS: {
    status: 429,
    retryable: true,
    meaning:
      'As many files are being uploaded as may be at a time, for the tenant or by this edge, or the session has as many uploads as it may have, as `details.resource` and `details.limit` say; nothing was sent. Wait for some to end, delete some, or try again after `details.retryAfterMs`.',
  },
  TOO_MANY_REPLAYS: {
    status: 429,
    retryable: true,
    meaning:
      'As many clients are being given what they missed as may be at a time, of the tenant or of this edge (`details.limit`). Try again after `details.retryAfterMs`, or subscribe without `since`.',
  },
  INBOX_FULL: {
    status: 429,
    retryable: true,
    meaning: 'The worker of this session has too many commands waiting. Slow down.',
  },
  TOO_MANY_SESSIONS: {
    status: 429,
    retryable: true,
    meaning:
      'The tenant has as many sessions as it may have (`details.limit`). Remove some, or ask the administrator for more.',
  },
  TOO_MANY_COMMANDS: {
    status: 429,
    retryable: true,
    meaning:
      'As many sends and other calls are under way as may be, for the session or the tenant (`details.resource`, `details.limit`); nothing was done. Wait for some to end, or try again after `details.retryAfterMs`.',
  },
  TOO_MANY_IDEMPOTENCY_KEYS: {
    status: 429,
    retryable: true,
    meaning:
      'The tenant has used as many values of `Idempotency-Key` in the last 24 hours as it may (`details.limit`); nothing was done. The oldest is forgotten after `details.retryAfterMs`. Ask the administrator for more.',
  },
  TOO_MANY_JOBS: {
    status: 429,
    retryable: true,
    meaning:
      'The tenant has as many jobs that have not ended, or as many bytes of jobs, as it may have (`details.resource`, `details.limit`); nothing was stored. Wait for some to end, or cancel some.',
  },
  TOO_MANY_CONNECTIONS: {
    status: 429,
    retryable: true,
    meaning:
      'The API key or its tenant has as many connections for events as it may have, or your address has as many connections to this edge (`details.limit`). Close some, or try again after `details.retryAfterMs`.',
  },
  TOO_MANY_HANDSHAKES: {
    status: 429,
    retryable: true,
    meaning:
      'Too many connections for events were made in a short time, from this address or with this API key. Try again after `details.retryAfterMs`.',
  },
  RATE_LIMITED: {
    status: 429,
    retryable: true,
    meaning:
      'Too many requests came in a short time, or are under way: with this API key or of this tenant, as `details.resource` says, or without a valid key from this address. Try again after `details.retryAfterMs`.',
  },
  OUTCOME_UNKNOWN: {
    status: 504,
    retryable: false,
    meaning:
      'No answer came in time: the command may or may not have been carried out. Send it again with the same `Idempotency-Key`: that acts once. Without one, `details.messageId` is the id of a message: look for it in the events before sending the text again, which sends another message. Of a session, key, tenant or group that was to be made, look whether it is there. A change of a contact, a chat or the profile can be sent again. Of a change of a group, `details.done` names what was changed before.',
  },
  NOT_SUPPORTED: {
    status: 501,
    retryable: true,
    meaning:
      'The worker of this session, or for a proxy any worker, runs an earlier release that cannot do this; nothing was done. Try again when the upgrade of the cluster has ended.',
  },
  NO_WORKER: {
    status: 503,
    retryable: true,
    meaning: 'The session is waiting for a worker. Try again shortly.',
  },
  UNAVAILABLE: {
    status: 503,
    retryable: true,
    meaning: 'A part of the service that this needs is out of reach. Try again shortly.',
  },
  INTERNAL: { status: 500, retryable: true, meaning: 'An unexpected failure; it was logged.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** What a client sees of an error, in every channel. */
export interface ErrorDescription {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

const codes = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

export const errorDescriptionSchema = z.object({
  code: z.enum(codes),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** What clients read of the body of a REST answer that is not a success. The whole body: see `problemSchema`. */
export const errorBodySchema = z.object({ error: errorDescriptionSchema });

/** An error of the registry. Its message and details are shown to clients: they never hold a secret. */
export class WafleetError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  /** @param options.cause what led to it: for the logs alone, since clients do not see it. */
  constructor(
    code: ErrorCode,
    message: string,
    details?: Readonly<Record<string, unknown>>,
    options?: { readonly cause: unknown },
  ) {
    super(message, options);
    this.name = 'WafleetError';
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  describe(): ErrorDescription {
    return {
      code: this.code,
      message: this.message,
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}

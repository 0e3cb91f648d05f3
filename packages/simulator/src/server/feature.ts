import type { BinaryNode } from '@whiskeysockets/baileys';
import type { FastifyInstance } from 'fastify';
import type { RegisteringClient } from '../login/registering-client.js';
import type { ReceivedMessage } from '../messages/received-message.js';
import type { Account, Device } from '../world/account.js';
import type { SimulatorContext } from './simulator-context.js';

/** The context for a handler of a linked device's stanza. */
export interface DeviceContext {
  readonly simulator: SimulatorContext;
  /** The linked device whose connection sent the stanza. */
  readonly device: Device;
  /** The account that it is linked to: `device.phone`. */
  readonly phone: Account;
}

/** The context for what a phone does by itself. */
export interface PhoneContext {
  readonly simulator: SimulatorContext;
  readonly phone: Account;
}

/** The context for a handler of a stanza from a client that is not linked yet. */
export interface RegistrationContext {
  readonly simulator: SimulatorContext;
  readonly client: RegisteringClient;
}

/**
 * Answers one iq. What it returns becomes the children of `<iq type=result>`; an `IqError` that it throws
 * becomes `<iq type=error>`. Handlers of one connection run one after the other, in the order of the stanzas,
 * so a handler must not wait for another stanza of the same client.
 */
export type IqHandler<Context = DeviceContext> = (
  iq: BinaryNode,
  context: Context,
) => readonly BinaryNode[] | Promise<readonly BinaryNode[]>;

/** Handles a stanza other than an iq (message, receipt, presence, chatstate, call, ack, ib …). Sends its own answer. */
export type StanzaHandler = (stanza: BinaryNode, context: DeviceContext) => void | Promise<void>;

/** Runs once per device, after the first login's pre-key upload: what a phone sends to a new companion. */
export type LinkedHook = (context: DeviceContext) => void | Promise<void>;

/** Called for each message that a phone has decrypted, after it was added to the phone's inbox. */
export type PhoneMessageHook = (message: ReceivedMessage, context: PhoneContext) => void | Promise<void>;

/**
 * Everything that one feature adds to the server. A feature lists its handlers in one object of this shape and
 * is listed in `src/features.ts`.
 */
export interface Feature {
  /**
   * Keyed by `type:xmlns` (`get:usync`). If one xmlns has several requests: by `type:xmlns:first child's tag`
   * (`set:md:remove-companion-device`), which is looked up first.
   */
  readonly iqs?: Readonly<Record<string, IqHandler>>;
  /** The same keys, for clients that are not linked yet. */
  readonly registrationIqs?: Readonly<Record<string, IqHandler<RegistrationContext>>>;
  /** Keyed by the stanza's tag, or `tag:first child's tag`, which is looked up first. */
  readonly stanzas?: Readonly<Record<string, StanzaHandler>>;
  readonly onLinked?: LinkedHook;
  readonly onPhoneMessage?: PhoneMessageHook;
  /**
   * HTTP routes on the simulator's own port. Runs in an encapsulated Fastify context, so that a content-type
   * parser or hook which it adds is its own.
   */
  readonly routes?: (app: FastifyInstance, simulator: SimulatorContext) => void;
}

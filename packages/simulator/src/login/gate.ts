import { type BinaryNode, getBinaryNodeChild, type proto, S_WHATSAPP_NET } from '@whiskeysockets/baileys';
import { answerIq, handleStanza, tagOfRequest } from '../server/dispatch.js';
import type { DeviceContext } from '../server/feature.js';
import type { Registry } from '../server/registry.js';
import type { SimulatorContext } from '../server/simulator-context.js';
import type { CloseCause } from '../transport/close-cause.js';
import type { Connection, ConnectionHandler } from '../transport/connection.js';
import { unixSeconds } from '../unix-seconds.js';
import type { Account, Device } from '../world/account.js';
import type { DeviceLink } from '../world/companion.js';
import { readQr } from './qr.js';
import { RegisteringClient } from './registering-client.js';
import { isBuildHashRight, reportedVersion } from './reported-version.js';

/** The reason with which WhatsApp refuses a version of the client. */
const OUTDATED = 405;

interface LoggedIn {
  readonly context: DeviceContext;
  readonly link: DeviceLink;
}

/**
 * Admits clients: a client without an account gets QR codes, a client with an account is logged in as its device.
 *
 * The order of a login, as Baileys expects it: `success`; the client counts and uploads its pre-keys and says
 * `passive/active`; then `ib edge_routing`, `ib offline_preview`, the device's queue (marked `offline`),
 * `ib offline`.
 */
export class Gate implements ConnectionHandler {
  readonly #simulator: SimulatorContext;
  readonly #registry: Registry;
  readonly #registering = new Map<Connection, RegisteringClient>();
  readonly #refs = new Map<string, RegisteringClient>();
  readonly #loggedIn = new Map<Connection, LoggedIn>();

  constructor(simulator: SimulatorContext, registry: Registry) {
    this.#simulator = simulator;
    this.#registry = registry;
  }

  /** How many connections are logged in. */
  get onlineCount(): number {
    return this.#loggedIn.size;
  }

  /** The clients that are connected but not linked. */
  get registering(): Iterable<RegisteringClient> {
    return this.#registering.values();
  }

  /** The client that shows this QR code. Throws when the code is unknown or has expired. */
  clientOf(qr: string): RegisteringClient {
    const { ref } = readQr(qr);
    const client = this.#refs.get(ref);
    if (!client?.isRefValid(ref)) throw new Error('this QR code is unknown or has expired');
    return client;
  }

  /**
   * Links the client that shows this QR code to the phone's account. If the phone demands a passkey, resolves at the end of
   * the ceremony.
   */
  async scan(phone: Account, qr: string): Promise<Device> {
    const client = this.clientOf(qr);
    const { noiseKey, identityKey, advSecret } = readQr(qr);
    if (!noiseKey.equals(client.payload.noiseKey) || !identityKey.equals(client.payload.identityKey)) {
      throw new Error('this QR code does not belong to the client that was given its ref');
    }
    return await this.#simulator.passkeyLinks.link(phone, client, advSecret);
  }

  opened(connection: Connection, noiseKey: Buffer, payload: proto.ClientPayload): void {
    if (payload.devicePairingData) this.#register(connection, noiseKey, payload);
    else this.#login(connection, noiseKey, payload);
  }

  async stanza(connection: Connection, stanza: BinaryNode): Promise<void> {
    const loggedIn = this.#loggedIn.get(connection);
    if (loggedIn) {
      if (stanza.tag === 'iq') await this.#iq(connection, loggedIn, stanza);
      else await handleStanza(stanza, this.#registry.stanza(stanza), loggedIn.context);
      return;
    }
    const client = this.#registering.get(connection);
    if (stanza.tag === 'ack') client?.acknowledged(stanza);
    if (!client || stanza.tag !== 'iq') return;
    if (stanza.attrs.type === 'result') {
      client.answered(stanza);
      return;
    }
    const handler = this.#registry.registrationIq(stanza);
    const answer = await answerIq(stanza, handler, { simulator: this.#simulator, client });
    this.#answer(connection, stanza, answer);
  }

  closed(connection: Connection): void {
    const client = this.#registering.get(connection);
    if (client) {
      client.gone();
      this.#registering.delete(connection);
      for (const ref of client.refs) this.#refs.delete(ref);
    }
    const loggedIn = this.#loggedIn.get(connection);
    if (loggedIn) {
      this.#loggedIn.delete(connection);
      if (loggedIn.context.device.detach(loggedIn.link)) {
        this.#simulator.presence.leave(loggedIn.context.device);
      }
    }
  }

  #register(connection: Connection, noiseKey: Buffer, payload: proto.ClientPayload): void {
    const { clientVersions } = this.#simulator;
    const version = reportedVersion(payload);
    if (!isBuildHashRight(payload) || !clientVersions.isAccepted(version)) {
      connection.close({ failure: OUTDATED });
      return;
    }
    const mayBeLinked = () => clientVersions.isLinkable(version);
    const client = new RegisteringClient(connection, noiseKey, payload, { mayBeLinked });
    this.#registering.set(connection, client);
    for (const ref of client.offerRefs(this.#simulator.qrTtlMs)) this.#refs.set(ref, client);
  }

  #login(connection: Connection, noiseKey: Buffer, payload: proto.ClientPayload): void {
    const simulator = this.#simulator;
    const version = reportedVersion(payload);
    if (!simulator.clientVersions.isAccepted(version)) {
      connection.close({ failure: OUTDATED });
      return;
    }
    const phone = simulator.world.phoneByNumber(String(payload.username));
    const device = phone?.devices.get(payload.device ?? 0);
    const refusal = phone && simulator.loginRefusal(phone);
    if (refusal !== undefined) {
      connection.close({ failure: refusal });
      return;
    }
    if (!phone || !device || !noiseKey.equals(device.noiseKey)) {
      connection.close({ failure: 401 });
      return;
    }
    const link: DeviceLink = {
      send: (stanza) => connection.send(stanza),
      close: (cause: CloseCause) => connection.close(cause),
    };
    device.clientVersion = version;
    const replaced = device.attach(link);
    replaced?.close('replaced');
    this.#loggedIn.set(connection, { link, context: { simulator, device, phone } });
    connection.send({
      tag: 'success',
      attrs: { lid: device.lid, t: String(unixSeconds()), creation: '0', props: '1', location: 'sim' },
    });
  }

  async #iq(connection: Connection, { context, link }: LoggedIn, iq: BinaryNode): Promise<void> {
    if (iq.attrs.type === 'result' || iq.attrs.type === 'error') return;
    const isActivation = iq.attrs.xmlns === 'passive' && getBinaryNodeChild(iq, 'active') !== undefined;
    const handler = this.#registry.iq(iq);
    this.#answer(connection, iq, await answerIq(iq, handler, context));
    if (isActivation) this.#activate(connection, context, link);
  }

  #answer(connection: Connection, iq: BinaryNode, answer: BinaryNode): void {
    this.#simulator.sendAnswer(tagOfRequest(iq), () => connection.send(answer));
  }

  #activate(connection: Connection, context: DeviceContext, link: DeviceLink): void {
    const { device, simulator } = context;
    const waiting = device.pending();
    const ib = (tag: string, attrs: Record<string, string>, content?: BinaryNode[]): void => {
      connection.send({
        tag: 'ib',
        attrs: { from: S_WHATSAPP_NET },
        content: [{ tag, attrs, ...(content && { content }) }],
      });
    };
    const count = String(waiting.length);
    ib('edge_routing', {}, [{ tag: 'routing_info', attrs: {}, content: Buffer.from([8, 2, 8, 5]) }]);
    const tagged = (tag: string): string => String(waiting.filter((stanza) => stanza.tag === tag).length);
    ib('offline_preview', {
      count,
      message: tagged('message'),
      receipt: tagged('receipt'),
      notification: tagged('notification'),
      appdata: '0',
      call: tagged('call'),
    });
    if (!device.takeQueueHeldBack()) {
      for (const [index, stanza] of waiting.entries()) {
        connection.send({ ...stanza, attrs: { ...stanza.attrs, offline: String(index) } });
      }
      ib('offline', { count });
    }
    device.activate(link);
    if (device.greeted) return;
    device.greeted = true;
    this.#registry.linked(context).catch((error: unknown) => {
      simulator.logger.error({ err: error, device: device.jid }, 'a hook for a new companion failed');
    });
  }
}

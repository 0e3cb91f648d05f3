import { randomBytes } from 'node:crypto';
import type { EventName } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { type Phone, Simulator } from '@wafleet/simulator';
import {
  AccountLists,
  AuthStateStore,
  CallReplies,
  Cipher,
  ConnectRate,
  connectRedis,
  deleteAuthState,
  deleteLists,
  EventLog,
  type Fence,
  LinkOffers,
  MessageSecrets,
  Ownership,
  PasskeyLinks,
  ProcessedMessages,
  ReceivedMedia,
  RecentMessages,
  type RedisConnection,
  SendPauses,
  SessionDirectory,
  SessionPacing,
  type SessionRecord,
  type SessionRef,
  SessionSettingsRecords,
  SessionSettingsStore,
  TenantDirectory,
  UploadBoxes,
  UploadRecords,
  verifyEncryptionKey,
} from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { quietLibsignal } from '../baileys/patches/quiet-libsignal.js';
import { trustRootKey } from '../baileys/trust-root-key.js';
import { SessionCaches } from '../caches/session-caches.js';
import { ConnectLimiter } from '../connection/connect-limiter.js';
import type { WhatsAppSessionOptions } from '../session-options.js';
import type { SessionEnd } from '../status/lifecycle.js';
import { WhatsAppSession } from '../whatsapp-session.js';
import { type PublishedEvent, PublishedEvents } from './published-events.js';

const logger = createLogger({ app: 'test', level: 'silent' });

/** How long sessions keep away from a server that refuses their version. */
const PAUSE_MS = { first: 200, longest: 1_000 };

/** What a test gives to a session in place of the harness' own. */
export type SessionOverrides = Partial<
  Pick<WhatsAppSessionOptions, 'connectLimiter' | 'isOwnershipCertain' | 'logger' | 'proxyRules'>
> & {
  readonly store?: (fence: Fence) => WhatsAppSessionOptions['store'];
  /** The URL of the session's proxy. */
  readonly proxy?: string;
};

/** A session under test: one object of it, its ownership, and what became of it. */
export class TestSession {
  readonly session: WhatsAppSession;
  readonly fence: Fence;
  readonly ends: SessionEnd[] = [];
  readonly #harness: Harness;
  readonly #published: PublishedEvents;

  constructor(
    harness: Harness,
    fence: Fence,
    whatsapp: WhatsAppSessionOptions['whatsapp'],
    overrides: SessionOverrides = {},
  ) {
    this.#harness = harness;
    this.#published = new PublishedEvents(harness.events, fence);
    this.fence = fence;
    this.session = new WhatsAppSession({
      fence,
      whatsapp: { url: harness.simulator.url, ...whatsapp },
      connectLimiter: harness.connectLimiter,
      caches: harness.caches,
      logger,
      onEnded: (end) => this.ends.push(end),
      ...overrides,
      store: overrides.store?.(fence) ?? harness.storeOf(fence),
    });
  }

  /** Sets another proxy, or none, as an edge does. */
  async setProxy(url: string | undefined): Promise<void> {
    await this.#harness.storeSettings(this.fence, {}, url ?? null);
    await this.session.execute('settings-changed', {});
  }

  record(): Promise<SessionRecord> {
    return this.#harness.directory.require(this.fence);
  }

  /** Everything published so far, oldest first. Each payload is checked against the contract. */
  events(): Promise<PublishedEvent[]> {
    return this.#published.read();
  }

  /** Waits for an event whose payload, as JSON, contains all of these texts. */
  event(name: EventName, ...texts: readonly string[]): Promise<PublishedEvent> {
    const matches = ({ event, payload }: PublishedEvent) => {
      const json = JSON.stringify(payload);
      return event === name && texts.every((text) => json.includes(text));
    };
    return waitFor(async () => (await this.events()).find(matches), {
      what: `${name} with ${texts.join(', ')}`,
    });
  }

  async status(status: SessionRecord['status'], timeoutMs = 30_000): Promise<SessionRecord> {
    return waitFor(
      async () => {
        const record = await this.record();
        return record.status === status ? record : undefined;
      },
      { what: `status ${status}`, timeoutMs },
    );
  }

  /** Starts it and lets the phone scan its QR code; resolves when it is open. */
  async link(phone: Phone): Promise<void> {
    await this.session.start();
    const { payload } = await this.event('auth.qr');
    await phone.scan(String(payload.qr));
    await this.status('open');
  }
}

/** A Redis, a WhatsApp server, and the parts of the store that sessions work with. */
export class Harness {
  readonly simulator: Simulator;
  readonly directory: SessionDirectory;
  readonly events: EventLog;
  readonly offers: LinkOffers;
  readonly passkeyLinks: PasskeyLinks;
  readonly ownership: Ownership;
  readonly connectLimiter: ConnectLimiter;
  readonly caches = new SessionCaches();
  readonly redisServer: TestRedis;
  readonly #redis: RedisConnection;
  readonly #cipher = Cipher.fromHexKeys(randomBytes(32).toString('hex'));
  readonly #started: TestSession[] = [];
  #tenantId = '';

  private constructor(redisServer: TestRedis, simulator: Simulator) {
    this.redisServer = redisServer;
    this.simulator = simulator;
    this.#redis = connectRedis({ url: redisServer.url, role: 'command', name: 'test', logger });
    this.directory = new SessionDirectory(this.#redis);
    this.events = new EventLog(this.#redis, { maxLength: 10_000 });
    this.offers = new LinkOffers(this.#redis);
    this.passkeyLinks = new PasskeyLinks(this.#redis);
    this.ownership = new Ownership(this.#redis);
    const rate = new ConnectRate(this.#redis, {
      perSecond: 1_000,
      clientVersion: '2.3000.1',
      pauseMs: PAUSE_MS,
    });
    this.connectLimiter = new ConnectLimiter({ rate, logger });
  }

  static async start(options: ConstructorParameters<typeof Simulator>[0] = {}): Promise<Harness> {
    quietLibsignal();
    const simulator = new Simulator(options);
    const [redisServer] = await Promise.all([startRedis(), simulator.start()]);
    trustRootKey(simulator.rootKey);
    const harness = new Harness(redisServer, simulator);
    const tenant = await new TenantDirectory(harness.#redis).create('Acme');
    harness.#tenantId = tenant.id;
    return harness;
  }

  async stop(): Promise<void> {
    for (const { session } of this.#started) session.discard();
    await this.#redis.quit();
    await Promise.all([this.simulator.stop(), this.redisServer.stop()]);
  }

  /** Makes every Signal session that is stored unreadable. */
  async damageSignalSessions(ref: SessionRef): Promise<void> {
    await this.#damage(ref, 'session:');
  }

  /** Makes every pair of number and LID that is stored unreadable. */
  async damagePairs(ref: SessionRef): Promise<void> {
    await this.#damage(ref, 'lid-mapping:');
  }

  /** The names of the credentials' fields that begin with `type`. */
  async fieldsOf({ tenantId, sessionId }: SessionRef, type: string): Promise<string[]> {
    const fields = await this.#redis.hkeys(`wf:{${tenantId}}:auth:${sessionId}`);
    return fields.filter((field) => field.startsWith(type));
  }

  /** Whether anything of the lists of chats and contacts is stored. */
  async hasLists({ tenantId, sessionId }: SessionRef): Promise<boolean> {
    const names = ['chats', 'chat-order', 'contacts', 'contact-order', 'list-notes'];
    return (await this.#redis.exists(...names.map((name) => `wf:{${tenantId}}:${name}:${sessionId}`))) > 0;
  }

  /** Deletes the lists of a session, as an edge does that switches them off. */
  async deleteLists(ref: SessionRef): Promise<void> {
    await deleteLists(this.#redis, ref);
  }

  /** Whether the lists of a session were filled from its account. */
  wereListsFilled(ref: SessionRef): Promise<boolean> {
    return new AccountLists({ redis: this.#redis, cipher: this.#cipher }).ofSession(ref).wasFilled();
  }

  /** Stores settings for a session, and the URL of a proxy if one is given, as an edge does. */
  async storeSettings(ref: SessionRef, settings: object, proxy?: string | null): Promise<void> {
    await verifyEncryptionKey(this.#redis, this.#cipher);
    const records = new SessionSettingsRecords(this.#redis);
    const { version, stored } = await records.read(ref);
    await records.replace(ref, version, { plain: { ...stored, settings }, proxy });
  }

  /** Makes the stored settings of a session unreadable. */
  async damageSettings({ tenantId, sessionId }: SessionRef): Promise<void> {
    await this.#redis.set(`wf:{${tenantId}}:settings:${sessionId}`, 'damaged');
  }

  /** Replaces a field of the credentials: correctly sealed, with any content. */
  async storeField(ref: SessionRef, field: string, content: Uint8Array): Promise<void> {
    const sealed = this.#cipher.sessionScope(ref).seal(Buffer.from(content), field);
    await this.#redis.hset(`wf:{${ref.tenantId}}:auth:${ref.sessionId}`, field, sealed);
  }

  /** The names of the keys of a session that match. */
  async keysOf({ tenantId, sessionId }: SessionRef, pattern: RegExp): Promise<string[]> {
    const names = await this.#redis.keys(`wf:{${tenantId}}:*:${sessionId}`);
    return names.filter((name) => pattern.test(name));
  }

  /** Makes what a record of times has older by this time, in ms. */
  async age({ tenantId, sessionId }: SessionRef, record: 'sends' | 'new-chats', ms: number): Promise<void> {
    const key = `wf:{${tenantId}}:${record}:${sessionId}`;
    for (const digest of await this.#redis.zrange(key, '0', '-1'))
      await this.#redis.zincrby(key, -ms, digest);
  }

  /** Lets the pause of a session's new chats end, for the next worker. */
  async endPause({ tenantId, sessionId }: SessionRef): Promise<void> {
    await this.#redis.hset(`wf:{${tenantId}}:send-pause:${sessionId}`, { until: Date.now() - 1 });
  }

  async #damage({ tenantId, sessionId }: SessionRef, type: string): Promise<void> {
    const key = `wf:{${tenantId}}:auth:${sessionId}`;
    const fields = (await this.#redis.hkeys(key)).filter((field) => field.startsWith(type));
    await Promise.all(fields.map((field) => this.#redis.hset(key, field, 'damaged')));
  }

  /** What a store of the session's credentials is made with. */
  authOptions(fence: Fence): ConstructorParameters<typeof AuthStateStore>[0] {
    return { redis: this.#redis, cipher: this.#cipher, fence };
  }

  storeOf(fence: Fence): WhatsAppSessionOptions['store'] {
    return {
      auth: new AuthStateStore(this.authOptions(fence)),
      deleteAuth: () => deleteAuthState(this.#redis, fence),
      events: this.events,
      directory: this.directory,
      settings: new SessionSettingsStore({ redis: this.#redis, cipher: this.#cipher }),
      callReplies: new CallReplies(this.#redis),
      pacing: new SessionPacing(this.#redis),
      sendPauses: new SendPauses(this.#redis),
      offers: this.offers,
      passkeyLinks: this.passkeyLinks,
      recentMessages: new RecentMessages({ redis: this.#redis, cipher: this.#cipher }),
      receivedMedia: new ReceivedMedia({ redis: this.#redis, cipher: this.#cipher }),
      uploads: new UploadBoxes(this.#cipher),
      messageSecrets: new MessageSecrets({ redis: this.#redis, cipher: this.#cipher }),
      finishedMessages: new ProcessedMessages(this.#redis),
      accountLists: new AccountLists({ redis: this.#redis, cipher: this.#cipher }),
    };
  }

  /** Uploads of sessions, as an edge stores them. */
  async uploads(): Promise<UploadRecords> {
    await verifyEncryptionKey(this.#redis, this.#cipher);
    return new UploadRecords(this.#redis);
  }

  /** A new session, owned by `worker`. */
  async newSession(
    whatsapp: WhatsAppSessionOptions['whatsapp'] = {},
    overrides: SessionOverrides = {},
  ): Promise<TestSession> {
    const ref = { tenantId: this.#tenantId, sessionId: randomBytes(6).toString('hex') };
    await this.directory.create(ref);
    return this.takeOver(ref, undefined, whatsapp, overrides);
  }

  /** Claims a session, from `previous` if that is given, and makes an object of it. */
  async takeOver(
    { tenantId, sessionId }: SessionRef,
    previous?: string,
    whatsapp: WhatsAppSessionOptions['whatsapp'] = {},
    overrides: SessionOverrides = {},
  ): Promise<TestSession> {
    const worker = `wrk_${randomBytes(4).toString('hex')}`;
    const ref = { tenantId, sessionId };
    const claim = await this.ownership.claim(ref, { worker, expectPrevious: previous });
    if (!('fence' in claim)) throw new Error(`the session belongs to ${claim.refusedBy.worker}`);
    if (overrides.proxy !== undefined) await this.storeSettings(ref, {}, overrides.proxy);
    const session = new TestSession(this, claim.fence, whatsapp, overrides);
    this.#started.push(session);
    return session;
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { createLogger } from '@wafleet/runtime';
import type { Device, Phone } from '@wafleet/simulator';
import { ConnectRate, connectRedis, type RedisConnection, type SessionRef } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConnectLimiter, type PermitRequest } from './connection/connect-limiter.js';
import { ConnectPermit } from './connection/connect-permit.js';
import { Harness, type TestSession } from './testing/harness.js';

/**
 * Workers act in random order. A session that was taken from a worker must not log in there again, no message may be
 * lost, and the session must be open in the end. Redis, its fences, Baileys and WhatsApp's side are real. A frozen
 * worker is one whose permits and lease updates wait until it wakes up, and then arrive together.
 */
const logger = createLogger({ app: 'test', level: 'silent' });
const WORKERS = [0, 1, 2];

type Step =
  /** A worker takes the session from its owner, if the owner is frozen or has released the session. */
  | { readonly act: 'claim'; readonly worker: number }
  | { readonly act: 'release' }
  /** The owner loses its connection, asks for a permit, and is frozen before the permit arrives. */
  | { readonly act: 'freeze' }
  /**
   * Permits and the check of the lease arrive `turns` turns of the microtask queue apart, with `ms` of network delay.
   */
  | { readonly act: 'wake'; readonly permitsFirst: boolean; readonly turns: number; readonly ms: number }
  | { readonly act: 'disconnect' }
  | { readonly act: 'message' };

const worker = fc.constantFrom(...WORKERS);
const claim = fc.record({ act: fc.constant('claim' as const), worker });
const freeze = fc.constant<Step>({ act: 'freeze' });
const wake = fc.record({
  act: fc.constant('wake' as const),
  permitsFirst: fc.boolean(),
  turns: fc.nat(25),
  ms: fc.constantFrom(0, 0, 10, 250),
});
const other = fc.record({
  act: fc.constantFrom('release' as const, 'disconnect' as const, 'message' as const),
});
/** Returns one step, or a whole takeover, which single steps rarely produce. */
const steps: fc.Arbitrary<Step[]> = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.oneof<fc.Arbitrary<Step>[]>(claim, freeze, wake, other).map((each) => [each]),
      },
      { weight: 2, arbitrary: fc.tuple<Step[]>(freeze, claim, claim, wake) },
    ),
    { minLength: 2, maxLength: 4 },
  )
  .map((groups) => groups.flat());

let harness: Harness;
let redis: RedisConnection;

beforeAll(async () => {
  harness = await Harness.start();
  redis = connectRedis({ url: harness.redisServer.url, role: 'command', name: 'test', logger });
});

afterAll(async () => {
  redis?.disconnect();
  await harness?.stop();
});

/** Grants that wait while their worker is frozen. */
class HeldRate extends ConnectRate {
  readonly #held: (() => void)[] = [];
  isHeld = false;

  get waiting(): number {
    return this.#held.length;
  }

  release(): void {
    this.isHeld = false;
    for (const resolve of this.#held.splice(0)) resolve();
  }

  override async take(demand: Parameters<ConnectRate['take']>[0]) {
    const grant = await super.take(demand);
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve));
    return grant;
  }
}

class NotedGate extends ConnectLimiter {
  noteAccepted: () => void = () => {};

  override async permit(request: PermitRequest) {
    const permit = await super.permit(request);
    return (
      permit &&
      new ConnectPermit({
        version: permit.version,
        report: (outcome) => {
          permit.ended(0);
          if (outcome === 'opened') this.noteAccepted();
        },
      })
    );
  }
}

class ModelWorker {
  readonly rate = new HeldRate(redis, { perSecond: 1_000, clientVersion: '2.3000.1' });
  readonly connectLimiter = new NotedGate({ rate: this.rate, logger });
  current: TestSession | undefined;
  isCertain = true;
  isFrozen = false;
}

class Cluster {
  readonly workers = WORKERS.map(() => new ModelWorker());
  readonly #phone: Phone;
  readonly #device: Device;
  readonly #writer: Phone;
  readonly #ref: SessionRef;
  readonly #sent: string[] = [];
  readonly #loginsBefore: number;
  readonly strays: string[] = [];
  #owner: ModelWorker | undefined;
  #lastWorker: string;
  #accepted = 0;

  constructor(options: { phone: Phone; device: Device; writer: Phone; first: TestSession }) {
    const { phone, device, writer, first } = options;
    this.#phone = phone;
    this.#device = device;
    this.#writer = writer;
    this.#ref = first.fence;
    this.#lastWorker = first.fence.worker;
    this.#loginsBefore = device.loginRecord.logins;
  }

  get lastWorker(): string {
    return this.#lastWorker;
  }

  async take(step: Step): Promise<void> {
    const owner = this.#owner;
    switch (step.act) {
      case 'claim':
        await this.#claim(this.workers[step.worker]);
        break;
      case 'release':
        if (owner?.current === undefined || owner.isFrozen) break;
        await owner.current.session.stop({ reason: 'moved' });
        await harness.ownership.release(owner.current.fence);
        owner.current = undefined;
        this.#owner = undefined;
        break;
      case 'freeze':
        if (owner === undefined || owner.isFrozen) break;
        owner.rate.isHeld = true;
        harness.simulator.disconnect(this.#phone, 'tcp');
        await waitFor(() => owner.rate.waiting > 0, { what: 'a permit that waits' });
        owner.isFrozen = true;
        owner.isCertain = false;
        break;
      case 'wake':
        for (const each of this.workers) if (each.isFrozen) await this.#wake(each, step);
        break;
      case 'disconnect':
        harness.simulator.disconnect(this.#phone, 'tcp');
        break;
      case 'message':
        this.#sent.push(`message ${this.#sent.length}`);
        await this.#writer.send(this.#phone, { text: this.#sent.at(-1) ?? '' });
    }
    await this.#settled();
  }

  async end(): Promise<void> {
    await this.take({ act: 'wake', permitsFirst: true, turns: 0, ms: 0 });
    if (this.#owner === undefined) await this.take({ act: 'claim', worker: 0 });
    await this.take({ act: 'message' });
    const test = this.#owner?.current;
    for (const text of this.#sent) await test?.event('messages.upsert', `"${text}"`);
    const { logins } = this.#device.loginRecord;
    expect(this.strays).toEqual([]);
    expect(logins - this.#loginsBefore).toBe(this.#accepted);
    await this.take({ act: 'release' });
    expect(this.#owner).toBeUndefined();
  }

  async #claim(claimer: ModelWorker | undefined): Promise<void> {
    const owner = this.#owner;
    if (claimer === undefined || claimer.isFrozen || (owner !== undefined && !owner.isFrozen)) return;
    const { tenantId, sessionId } = this.#ref;
    const previous = owner?.current?.fence.worker ?? this.#lastWorker;
    const overrides = { connectLimiter: claimer.connectLimiter, isOwnershipCertain: () => claimer.isCertain };
    const test = await harness.takeOver({ tenantId, sessionId }, previous, {}, overrides);
    claimer.connectLimiter.noteAccepted = () => {
      this.#accepted += 1;
      if (this.#owner !== claimer) this.strays.push(`${test.fence.worker} logged in`);
    };
    claimer.current = test;
    this.#owner = claimer;
    this.#lastWorker = test.fence.worker;
    await test.session.start();
  }

  /** The worker wakes up: it gets its permits, and checks its lease. */
  async #wake(frozen: ModelWorker, step: Extract<Step, { act: 'wake' }>): Promise<void> {
    const isOwner = this.#owner === frozen;
    const look = () => {
      frozen.isCertain = true;
      if (isOwner) return;
      frozen.current?.session.discard();
      frozen.current = undefined;
    };
    frozen.isFrozen = false;
    const news = step.permitsFirst
      ? [() => frozen.rate.release(), look]
      : [look, () => frozen.rate.release()];
    for (const tell of news) {
      tell();
      for (let turn = 0; turn < step.turns; turn += 1) await undefined;
      if (step.ms > 0) await delay(step.ms);
    }
  }

  /** Waits until the owner, if it is not frozen, is open. Then no other worker is connecting. */
  async #settled(): Promise<void> {
    const owner = this.#owner;
    if (owner === undefined || owner.isFrozen) return;
    const what = 'the owner is open';
    await waitFor(() => owner.current?.session.status === 'open' && this.#device.isOnline, { what });
  }
}

test('a session that was taken from a worker never logs in there again, and loses no message', async () => {
  const phone = harness.simulator.addPhone({ name: 'Anna' });
  const writer = harness.simulator.addPhone({ name: 'Carl' });
  let last = await harness.newSession();
  await last.link(phone);
  await last.session.stop({ reason: 'moved' });
  const [device] = phone.devices.values();
  if (device === undefined) throw new Error('the phone has no device');
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const cluster = new Cluster({ phone, device, writer, first: last });
      await cluster.take({ act: 'claim', worker: 0 });
      for (const each of taken) await cluster.take(each);
      await cluster.end();
      last = await harness.takeOver(last.fence, cluster.lastWorker);
    }),
    { numRuns: 5, endOnFailure: true },
  );
}, 180_000);

import { errorDescriptionSchema } from '@wafleet/contract';
import {
  type Cluster,
  type Edge,
  metricOf,
  RawConnection,
  startCluster,
  type TestTenant,
  waitFor,
} from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { Publisher } from '../support/publisher.js';
import { SequenceClient } from '../support/sequence-client.js';

export const NAMESPACE = '/api/events';

interface Parties {
  readonly cluster: Cluster;
  readonly victim: TestTenant;
  readonly attacker: TestTenant;
  readonly publisher: Publisher;
  readonly listener: SequenceClient;
}

/** Starts a cluster for the attacks of a file; see `AttackedCluster`. */
export function useAttackedCluster(): AttackedCluster {
  const attacked = new AttackedCluster();
  beforeAll(() => attacked.start());
  afterEach(() => attacked.closeConnections());
  afterAll(() => attacked.stop());
  return attacked;
}

/**
 * A cluster with one edge and two tenants. The victim's sessions `p1` and `p2` have events all the time, and a client
 * listens to them. The attacker has the session `own`. The cluster runs inside tests only.
 */
export class AttackedCluster {
  /** Texts that must not be in any log. */
  readonly secrets: string[] = [];
  #parties: Parties | undefined;
  #sizeBefore = 0;
  #connections: RawConnection[] = [];
  #lastAddress = 0;

  async start(): Promise<void> {
    const cluster = await startCluster({
      workers: 0,
      placers: 0,
      edges: 1,
      environment: { LOG_LEVEL: 'debug', TRUSTED_PROXIES: 'loopback', EVENT_LOG_LENGTH: '100000' },
    });
    const [edge = expect.fail('there is no edge')] = cluster.edges;
    const victim = await cluster.addTenant('victim');
    const attacker = await cluster.addTenant('attacker');
    const publisher = await Publisher.start({ cluster, tenant: victim, sessions: 2, perSecond: 20 });
    const listener = await SequenceClient.start({ url: edge.url, apiKey: victim.apiKey });
    this.#parties = { cluster, victim, attacker, publisher, listener };
    this.secrets.push(victim.apiKey, attacker.apiKey, cluster.adminToken);
    await attacker.client.call('create-session', { body: { id: 'own' } });
    this.#sizeBefore = await this.#size();
  }

  async stop(): Promise<void> {
    this.#parties?.listener.close();
    await this.#parties?.publisher.stop();
    await this.#parties?.cluster.stop();
  }

  get cluster(): Cluster {
    return this.#running.cluster;
  }

  get victim(): TestTenant {
    return this.#running.victim;
  }

  get attacker(): TestTenant {
    return this.#running.attacker;
  }

  /** Publishes the victim's events. */
  get publisher(): Publisher {
    return this.#running.publisher;
  }

  /** The victim's client. */
  get listener(): SequenceClient {
    return this.#running.listener;
  }

  get edge(): Edge {
    const [edge] = this.cluster.edges;
    if (edge === undefined) throw new Error('the edge is gone');
    return edge;
  }

  /** @param name see `metricOf`. */
  metric(name: string): Promise<number> {
    return metricOf(this.edge, name);
  }

  /** How much the edge has grown since the start, bytes. */
  async grown(): Promise<number> {
    return (await this.#size()) - this.#sizeBefore;
  }

  /** A new address, so that an attack from it has the full rate limit. */
  someAddress(): string {
    this.#lastAddress += 1;
    return `198.51.${this.#lastAddress >> 8}.${this.#lastAddress & 255}`;
  }

  /** An Engine.IO connection. It ends with the test. */
  async open(address = this.someAddress()): Promise<RawConnection> {
    const connection = await RawConnection.open(this.edge.url, { 'X-Forwarded-For': address });
    this.#connections.push(connection);
    return connection;
  }

  /** Like `open`, from a new address, and asks to join. Resolves to the answer, or to `''` if the connection ended. */
  async tryToJoin(auth: unknown): Promise<string> {
    return (await this.open()).join(NAMESPACE, auth);
  }

  /** A connection that has joined. */
  async join(auth: object): Promise<RawConnection> {
    const connection = await this.open();
    expect(await connection.join(NAMESPACE, auth)).toMatch(/^40/);
    return connection;
  }

  closeConnections(): void {
    for (const connection of this.#connections.splice(0)) connection.close();
  }

  /** Resolves when the victim had this many more events. */
  async victimGetsMore(events = 3): Promise<void> {
    const enough = this.publisher.published.length + events;
    await waitFor(() => this.publisher.published.length >= enough, { what: 'more events of the victim' });
  }

  /** Expects that the edge still serves a client that keeps to the contract. */
  async expectAlive(): Promise<void> {
    const honest = await this.join({ token: this.attacker.apiKey });
    honest.send('42/api/events,7["subscribe",["call"]]');
    expect(await honest.answer(/^43\/api\/events,7/)).toContain('"ok":true');
  }

  get #running(): Parties {
    if (this.#parties === undefined) throw new Error('the cluster runs inside tests only');
    return this.#parties;
  }

  #size(): Promise<number> {
    return this.metric('process_resident_memory_bytes');
  }
}

/** Expects that an attacker received nothing of the victim. */
export function expectNothingOf({ messages }: RawConnection): void {
  expect(messages.filter((message) => /^42[^[]*\["messages\.|"M\d+"/.test(message))).toEqual([]);
}

/** The code of the error that the pattern finds in the text. It must be a code of the contract. */
function codeIn(text: string, pattern: RegExp): string {
  const [, json = '{}'] = pattern.exec(text) ?? [];
  return errorDescriptionSchema.parse(JSON.parse(json)).code;
}

/** The code with which `subscribe` was refused. */
export function ackedCode(ack: string): string {
  return codeIn(ack, /"error":(\{.*\})\}\]$/);
}

/** The code with which a namespace was refused. */
export function refusalCode(answer: string): string {
  return codeIn(answer, /"data":(\{.*\})\}$/);
}

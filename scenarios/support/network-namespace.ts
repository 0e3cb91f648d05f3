import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const IP = ['/usr/sbin/ip', '/sbin/ip'].find((path) => existsSync(path));

function ip(...args: string[]): void {
  if (IP === undefined) throw new Error('there is no ip(8); Debian has it in iproute2');
  execFileSync(IP, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/**
 * A host of its own for a process, as far as the network goes: a network namespace (Linux, root) that a cable, a
 * pair of veth devices, joins to this machine. A cut of the cable looks to both ends like a host that vanished: no
 * connection is closed, nothing answers any more.
 */
export class NetworkNamespace {
  /** This machine's address on the cable. */
  readonly hostAddress: string;
  /** The namespace's address on the cable. */
  readonly address: string;
  readonly #name: string;
  readonly #outer: string;
  readonly #inner: string;
  #isJoined = false;

  /** Why there can be none here; undefined when there can. */
  static whyNot(): string | undefined {
    try {
      new NetworkNamespace().remove();
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message.trim() : String(error);
    }
  }

  constructor() {
    // Names of devices take 15 characters; two runs on one machine must not meet.
    const id = process.pid % 16_384;
    this.#name = `wafleet-${id}`;
    this.#outer = `wfo${id}`;
    this.#inner = `wfi${id}`;
    const network = `10.213.${Math.floor(id / 64)}`;
    const base = (id % 64) * 4;
    this.hostAddress = `${network}.${base + 1}`;
    this.address = `${network}.${base + 2}`;
    ip('netns', 'add', this.#name);
    try {
      ip('link', 'add', this.#outer, 'type', 'veth', 'peer', 'name', this.#inner, 'netns', this.#name);
      this.#isJoined = true;
      ip('address', 'add', `${this.hostAddress}/30`, 'dev', this.#outer);
      ip('link', 'set', this.#outer, 'up');
      ip('-n', this.#name, 'address', 'add', `${this.address}/30`, 'dev', this.#inner);
      ip('-n', this.#name, 'link', 'set', 'lo', 'up');
      ip('-n', this.#name, 'link', 'set', this.#inner, 'up');
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** What to put before a command line so that it runs in here. */
  get launcher(): readonly string[] {
    return [IP ?? 'ip', 'netns', 'exec', this.#name];
  }

  /** Cuts the cable, at the namespace's end: this machine's own address stays. */
  cut(): void {
    ip('-n', this.#name, 'link', 'set', this.#inner, 'down');
  }

  /** Joins the ends again. */
  mend(): void {
    ip('-n', this.#name, 'link', 'set', this.#inner, 'up');
  }

  /** Removes the namespace and the cable. Processes in it have to be ended before. */
  remove(): void {
    // The kernel takes its time to remove what is in a namespace: without this the next cable of the name may find it.
    if (this.#isJoined) ip('link', 'delete', this.#outer);
    this.#isJoined = false;
    ip('netns', 'delete', this.#name);
  }
}

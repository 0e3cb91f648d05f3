import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const IP = ['/usr/sbin/ip', '/sbin/ip'].find((path) => existsSync(path));

function ip(...args: string[]): void {
  if (IP === undefined) throw new Error('there is no ip(8); Debian has it in iproute2');
  execFileSync(IP, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/**
 * A separate host for a process, as far as the network is concerned: a network namespace (Linux, needs root) and a pair
 * of veth devices, the cable, that connects it to this machine. If the cable is cut, both ends see a host that
 * vanished: no connection is closed, but nothing answers any more.
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

  /** Why this machine cannot have one. Undefined if it can. */
  static whyNot(): string | undefined {
    try {
      new NetworkNamespace().remove();
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message.trim() : String(error);
    }
  }

  constructor() {
    // Names of devices have at most 15 characters. Two runs on one machine must not use the same.
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

  /** The prefix of a command line that makes it run in the namespace. */
  get launcher(): readonly string[] {
    return [IP ?? 'ip', 'netns', 'exec', this.#name];
  }

  /** Cuts the cable at the namespace's end, so that this machine keeps its own address. */
  cut(): void {
    ip('-n', this.#name, 'link', 'set', this.#inner, 'down');
  }

  /** Connects the ends again. */
  mend(): void {
    ip('-n', this.#name, 'link', 'set', this.#inner, 'up');
  }

  /** Removes the namespace and the cable. End all processes in it before. */
  remove(): void {
    // The kernel removes a namespace's contents later. Without this, the next cable of this name may conflict with it.
    if (this.#isJoined) ip('link', 'delete', this.#outer);
    this.#isJoined = false;
    ip('netns', 'delete', this.#name);
  }
}

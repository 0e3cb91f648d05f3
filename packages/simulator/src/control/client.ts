import type { Arrival } from '../transport/arrivals.js';
import type { LoadAnswer, PhoneAnswer, StateAnswer } from './answers.js';
import { ControlChannel } from './channel.js';
import { RemoteGroup } from './remote-group.js';
import { RemotePhone } from './remote-phone.js';
import type { Body } from './schemas.js';

/**
 * A simulator in another process, through its control API. Every verb rejects with `SimulatorControlError`.
 * @example
 * const simulator = new SimulatorControl('http://127.0.0.1:8080');
 * const anna = await simulator.addPhone({ name: 'Anna' });
 * await anna.scan(qr);
 */
export class SimulatorControl {
  readonly #channel: ControlChannel;

  /** @param url of any scheme (the simulator's `ws://…/ws/chat` does as well); only host and port count. */
  constructor(url: string) {
    this.#channel = new ControlChannel(url);
  }

  state(): Promise<StateAnswer> {
    return this.#channel.request('GET', '/state');
  }

  /**
   * Where clients came from: their WebSockets, uploads and downloads, oldest first, of the last 10,000.
   * @param since milliseconds since 1970.
   */
  arrivals(since = 0): Promise<Arrival[]> {
    return this.#channel.request('GET', `/arrivals/${since}`);
  }

  async phones(): Promise<RemotePhone[]> {
    const answers = await this.#channel.request<PhoneAnswer[]>('GET', '/phones');
    return answers.map((answer) => new RemotePhone(this.#channel, answer));
  }

  async addPhone(options: Body<'addPhone'>): Promise<RemotePhone> {
    return new RemotePhone(this.#channel, await this.#channel.request('POST', '/phones', options));
  }

  async phone(number: string): Promise<RemotePhone> {
    return new RemotePhone(this.#channel, await this.#channel.request('GET', `/phones/${number}`));
  }

  async group(jid: string): Promise<RemoteGroup> {
    return new RemoteGroup(this.#channel, await this.#channel.request('GET', `/groups/${jid}`));
  }

  /** Closes connections, refuses logins or upgrades, or goes silent. `resume` ends every lasting fault. */
  fault(fault: Body<'fault'>): Promise<void> {
    return this.#channel.request('POST', '/faults', fault);
  }

  /** Sends texts to all linked accounts at a rate, until `stopLoad`; replaces a running load. */
  startLoad(load: Body<'load'>): Promise<LoadAnswer> {
    return this.#channel.request('POST', '/load', load);
  }

  load(): Promise<LoadAnswer> {
    return this.#channel.request('GET', '/load');
  }

  stopLoad(): Promise<LoadAnswer> {
    return this.#channel.request('DELETE', '/load');
  }
}

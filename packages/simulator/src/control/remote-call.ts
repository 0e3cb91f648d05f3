import type { CallAnswer } from './answers.js';
import type { ControlChannel } from './channel.js';
import type { Body } from './schemas.js';

/** A call that rings on the devices of a person. */
export class RemoteCall {
  readonly #channel: ControlChannel;
  readonly id: string;

  constructor(channel: ControlChannel, id: string) {
    this.#channel = channel;
    this.id = id;
  }

  /** Its state, after it has ended too. */
  async state(): Promise<string> {
    const { state } = await this.#channel.request<CallAnswer>('GET', `/calls/${this.id}`);
    return state;
  }

  accept(): Promise<CallAnswer> {
    return this.#do('accept');
  }

  reject(): Promise<CallAnswer> {
    return this.#do('reject');
  }

  terminate(): Promise<CallAnswer> {
    return this.#do('terminate');
  }

  timeOut(): Promise<CallAnswer> {
    return this.#do('timeOut');
  }

  #do(action: Body<'callAction'>['action']): Promise<CallAnswer> {
    return this.#channel.request('POST', `/calls/${this.id}`, { action });
  }
}

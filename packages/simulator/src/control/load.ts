import type { Phone } from '../phone/phone.js';
import type { LoadAnswer } from './answers.js';
import type { ControlledSimulator } from './controlled-simulator.js';
import type { Body } from './schemas.js';

/** How often the due messages are sent. */
const tickMs = 20;

/** Maximum of messages in preparation at once. A message due beyond that is skipped and counted. */
const maxInFlight = 500;

const defaultSenders = 20;

/** Sends texts to all linked accounts in turn, at a steady rate, until it is stopped. */
export class Load {
  readonly #simulator: ControlledSimulator;
  readonly #options: Body<'load'>;
  readonly #senders: readonly Phone[];
  readonly #startedAt = Date.now();
  readonly #timer: NodeJS.Timeout;
  #stoppedAt: number | undefined;
  #due = 0;
  #sent = 0;
  #failed = 0;
  #skipped = 0;
  #inFlight = 0;

  /** Starts at once. `senders` are the people who send the messages. */
  constructor(simulator: ControlledSimulator, options: Body<'load'>, senders: readonly Phone[]) {
    this.#simulator = simulator;
    this.#options = options;
    this.#senders = senders;
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  get answer(): LoadAnswer {
    return {
      running: this.#stoppedAt === undefined,
      perSecond: this.#options.perSecond,
      sent: this.#sent,
      failed: this.#failed,
      skipped: this.#skipped,
      seconds: ((this.#stoppedAt ?? Date.now()) - this.#startedAt) / 1000,
    };
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stoppedAt ??= Date.now();
  }

  #tick(): void {
    const recipients = this.#recipients();
    const { perSecond, total = Number.POSITIVE_INFINITY } = this.#options;
    const target = Math.min(total, Math.floor(((Date.now() - this.#startedAt) * perSecond) / 1000));
    for (; this.#due < target; this.#due += 1) {
      const recipient = recipients[this.#due % recipients.length];
      if (!recipient || this.#inFlight >= maxInFlight) this.#skipped += 1;
      else this.#send(recipient, this.#due);
    }
    if (this.#due >= total) this.stop();
  }

  #recipients(): readonly Phone[] {
    const { world } = this.#simulator;
    const { to } = this.#options;
    const phones = to?.map((number) => world.phoneByNumber(number)) ?? world.phones();
    return [...phones].filter((phone): phone is Phone => phone !== undefined && phone.devices.size > 0);
  }

  #send(recipient: Phone, counter: number): void {
    // Each account gets messages from each person, and consecutive messages come from different people.
    const sender =
      this.#senders[(counter + Math.floor(counter / this.#senders.length)) % this.#senders.length];
    if (!sender) return;
    this.#inFlight += 1;
    sender
      .send(recipient, `${this.#options.text ?? 'load'} ${counter} ${Date.now()}`)
      .then(
        () => {
          this.#sent += 1;
        },
        (error: unknown) => {
          this.#failed += 1;
          this.#simulator.logger.warn(
            { err: error, to: recipient.number },
            'a load message could not be sent',
          );
        },
      )
      .finally(() => {
        this.#inFlight -= 1;
      });
  }
}

/** The load of one simulator: one at a time, sent by people created for it. */
export class LoadControl {
  readonly #simulator: ControlledSimulator;
  readonly #senders: Phone[] = [];
  #load: Load | undefined;

  constructor(simulator: ControlledSimulator) {
    this.#simulator = simulator;
  }

  /** Replaces a running load. */
  start(options: Body<'load'>): LoadAnswer {
    this.#load?.stop();
    const count = options.senders ?? defaultSenders;
    while (this.#senders.length < count) {
      this.#senders.push(this.#simulator.addPhone({ name: `Load ${this.#senders.length + 1}` }));
    }
    this.#load = new Load(this.#simulator, options, this.#senders.slice(0, count));
    return this.#load.answer;
  }

  /** Stops the running load. Returns undefined if no load was ever started. */
  stop(): LoadAnswer | undefined {
    this.#load?.stop();
    return this.#load?.answer;
  }

  get answer(): LoadAnswer | undefined {
    return this.#load?.answer;
  }
}

import type { Phone, PhoneGroup } from '../phone/phone.js';
import { type Chat, type GroupChat, type MessageReference, statusBroadcast } from '../world/chat.js';
import type { ControlledSimulator } from './controlled-simulator.js';
import { ControlError } from './errors.js';

/** Finds what a request refers to. Each method throws a `ControlError` NOT_FOUND if it does not exist. */
export class Lookup {
  readonly simulator: ControlledSimulator;

  constructor(simulator: ControlledSimulator) {
    this.simulator = simulator;
  }

  phone(number: string): Phone {
    return found(this.simulator.world.phoneByNumber(number), `phone ${number}`);
  }

  phones(numbers: readonly string[]): Phone[] {
    return numbers.map((number) => this.phone(number));
  }

  group(jid: string): PhoneGroup {
    return found(this.simulator.groups.find(jid), `group ${jid}`);
  }

  /** A person or a group. */
  personOrGroup(name: string): Phone | GroupChat {
    return name.includes('@') ? this.group(name) : this.phone(name);
  }

  chat(name: string): Chat {
    return name === statusBroadcast.jid ? statusBroadcast : this.personOrGroup(name);
  }

  message(reference: { id: string; sender: string; chat: string }): MessageReference {
    return { id: reference.id, sender: this.phone(reference.sender), chat: this.chat(reference.chat) };
  }
}

/** @throws ControlError NOT_FOUND for undefined. */
export function found<Thing>(thing: Thing | undefined, name: string): Thing {
  if (thing === undefined) throw new ControlError('NOT_FOUND', `there is no ${name}`);
  return thing;
}

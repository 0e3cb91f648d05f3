import type { Group, Phone } from '@wafleet/simulator';
import { Harness, type TestSession } from './harness.js';

/** Two sessions and two people with a phone alone, for tests of groups. */
export class GroupTeam {
  readonly harness: Harness;
  readonly alice: TestSession;
  readonly bob: TestSession;
  readonly phones: Readonly<Record<'alice' | 'bob' | 'carl' | 'dora', Phone>>;

  private constructor(harness: Harness, { alice, bob, phones }: Pick<GroupTeam, 'alice' | 'bob' | 'phones'>) {
    this.harness = harness;
    this.alice = alice;
    this.bob = bob;
    this.phones = phones;
  }

  static async start(): Promise<GroupTeam> {
    const harness = await Harness.start();
    const addPhone = (name: string, number: string) => harness.simulator.addPhone({ name, number });
    const phones = {
      alice: addPhone('Alice', '4915100000001'),
      bob: addPhone('Bob', '4915100000002'),
      carl: addPhone('Carl', '4915100000003'),
      dora: addPhone('Dora', '4915100000004'),
    };
    const link = async (phone: Phone) => {
      const session = await harness.newSession();
      await session.link(phone);
      return session;
    };
    const [alice, bob] = await Promise.all([link(phones.alice), link(phones.bob)]);
    return new GroupTeam(harness, { alice, bob, phones });
  }

  /** A new group of Alice's with these people, as the simulator has it. */
  async group(subject: string, participants: readonly Phone[] = []): Promise<Group> {
    const { group } = await this.alice.session.execute('create-group', {
      subject,
      participants: participants.map(({ number }) => number),
    });
    return this.find(group.id);
  }

  find(id: string): Group {
    return this.harness.simulator.groups.require(id);
  }

  stop(): Promise<void> {
    return this.harness.stop();
  }
}

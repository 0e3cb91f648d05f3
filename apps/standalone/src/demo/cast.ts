import type { RemoteGroup, RemotePhone, SimulatorControl } from '@wafleet/simulator';

/** The people of the demo. */
export interface People {
  /** The owner of the account that the demo's session is linked to. */
  readonly ada: RemotePhone;
  readonly ben: RemotePhone;
  readonly cleo: RemotePhone;
  readonly dev: RemotePhone;
  /** The person who repeatedly links and unlinks a second session. */
  readonly vera: RemotePhone;
}

export interface Cast extends People {
  readonly control: SimulatorControl;
  /** Everybody but Vera. */
  readonly group: RemoteGroup;
}

export async function invitePeople(control: SimulatorControl): Promise<People> {
  const add = (name: string, number: string) => control.addPhone({ name, number });
  return {
    ada: await add('Ada', '15550100001'),
    ben: await add('Ben', '15550100002'),
    cleo: await add('Cleo', '15550100003'),
    dev: await add('Dev', '15550100004'),
    vera: await add('Vera', '15550100005'),
  };
}

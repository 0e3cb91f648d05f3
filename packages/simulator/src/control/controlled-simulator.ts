import type { Switchboard } from '../calls/switchboard.js';
import type { GroupDirectory } from '../groups/group-directory.js';
import type { ClientVersions } from '../login/client-versions.js';
import type { Gate } from '../login/gate.js';
import type { MediaStore } from '../media/media-store.js';
import type { Phone, PhoneOptions } from '../phone/phone.js';
import type { SimulatorLogger } from '../silent-logger.js';
import type { Arrivals } from '../transport/arrivals.js';
import type { CloseCause } from '../transport/close-cause.js';
import type { Account, Device } from '../world/account.js';
import type { World } from '../world/world.js';

/** What can be done with a simulator by HTTP. `Simulator` says what each method guarantees. */
export interface ControlledSimulator {
  readonly url: string;
  /** The public key, in hex, that clients must trust. */
  readonly rootKey: string;
  readonly connectionCount: number;
  readonly world: World<Phone>;
  readonly groups: GroupDirectory<Phone>;
  readonly calls: Switchboard;
  readonly media: MediaStore;
  readonly arrivals: Arrivals;
  readonly gate: Gate;
  readonly clientVersions: ClientVersions;
  readonly logger: SimulatorLogger;
  addPhone(options: PhoneOptions): Phone;
  disconnect(target: Account | Device, cause: CloseCause): void;
  disconnectAll(cause: CloseCause): void;
  refuseLogins(reason: number, phone?: Account): void;
  refuseMessages(error: number, phone?: Account): void;
  rejectUpgrades(status: number): void;
  goSilent(): void;
  resume(): void;
}

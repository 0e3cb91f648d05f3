/** A client of a simulator in another process; loads nothing of the server. */
export type {
  CallAnswer,
  DeviceAnswer,
  GroupAnswer,
  LoadAnswer,
  MessageAnswer,
  PasskeyAnswer,
  ReceivedAnswer,
  StateAnswer,
} from './control/answers.js';
export { SimulatorControlError } from './control/channel.js';
export { SimulatorControl } from './control/client.js';
export type { RemoteCall } from './control/remote-call.js';
export type { RemoteGroup } from './control/remote-group.js';
export type { RemotePhone } from './control/remote-phone.js';

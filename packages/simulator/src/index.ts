export type { Call } from './calls/call.js';
export * from './control.js';
export type { Group } from './groups/group.js';
export { linkReadyCompanion, type ReadyCompanion } from './login/ready-companion.js';
export type { MessageContent, SendOptions } from './messages/content.js';
export { answerInvitation, sendInvitation, sendPoll, vote } from './messages/questions.js';
export { deliverReceipt } from './messages/receipts.js';
export type { ReceivedMessage } from './messages/received-message.js';
export {
  addPollOption,
  commentSealed,
  editSealed,
  reactSealed,
  sendWithSecret,
} from './messages/sealed-add-ons.js';
export type { SentMessage } from './messages/sent-message.js';
export { markDirty, setDisappearingMode, sharePrivacyToken } from './notifications/notices.js';
export { NoPairingRequestError } from './pairing-code/pairing-codes.js';
export { WrongPairingCodeError } from './pairing-code/phone-side.js';
export { Simulator, type SimulatorOptions } from './simulator.js';
export type { CloseCause } from './transport/close-cause.js';
export { type Chat, type GroupChat, statusBroadcast } from './world/chat.js';
export type { Device } from './world/device.js';
export type { LoginRecord } from './world/login-record.js';
export type { Phone, PhoneOptions } from './world/phone.js';

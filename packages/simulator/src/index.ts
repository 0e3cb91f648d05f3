export type { Call } from './calls/call.js';
export * from './control.js';
export { linkReadyCompanion, type ReadyCompanion } from './login/ready-companion.js';
export { encryptMedia } from './media/encryption.js';
export type { MediaKind } from './media/phone-media.js';
export type { MessageContent, SendOptions } from './messages/content.js';
export type { ReceivedMessage } from './messages/received-message.js';
export type { SentMessage } from './messages/sent-message.js';
export { markDirty, setDisappearingMode, sharePrivacyToken } from './notifications/notices.js';
export { NoPairingRequestError } from './pairing-code/pairing-codes.js';
export { WrongPairingCodeError } from './pairing-code/phone-side.js';
export {
  NoPasskeyCeremonyError,
  PasskeyCeremonyError,
  type PasskeyFailure,
  WrongPasskeyCodeError,
} from './passkey/ceremony-error.js';
export type { PasskeyRequestOptions } from './passkey/challenges.js';
export type { PasskeyDemand } from './passkey/demand.js';
export type {
  AssertionFlaws,
  AssertionJson,
  AssertionOptions,
  Passkey,
  VirtualCredential,
} from './passkey/passkey.js';
export type { PasskeyCeremony, PasskeyStage } from './passkey/passkey-ceremony.js';
export { deliverReceipt } from './phone/deliver-receipt.js';
export type { Phone, PhoneGroup as Group, PhoneOptions } from './phone/phone.js';
export { answerInvitation, openVote, sendInvitation, sendPoll, vote } from './phone/questions.js';
export {
  addPollOption,
  commentSealed,
  editSealed,
  reactSealed,
  sendWithSecret,
} from './phone/sealed-add-ons.js';
export { Simulator, type SimulatorOptions } from './simulator.js';
export type { CloseCause } from './transport/close-cause.js';
export type { Device } from './world/account.js';
export { type Chat, type GroupChat, statusBroadcast } from './world/chat.js';
export type { LoginRecord } from './world/login-record.js';

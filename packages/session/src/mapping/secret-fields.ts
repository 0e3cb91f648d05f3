/**
 * Fields that carry key material or the account's own synchronisation, by their names in WhatsApp's protobuf
 * schema. They are left out of every payload at any depth. Media keys are no part of the list: a client needs
 * them to download what it was sent.
 */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'acAuthTokens',
  'appStateSyncKeyRequest',
  'appStateSyncKeyShare',
  'botMessageSecret',
  'callKey',
  'contactPrimaryIdentityKey',
  'encKey',
  'ephemeralSharedSecret',
  'fastRatchetKeySenderKeyDistributionMessage',
  'historySyncNotification',
  'initialSecurityNotificationSettingSync',
  'lidMigrationMappingSyncMessage',
  'masterKey',
  'messageSecret',
  'peerDataOperationRequestMessage',
  'peerDataOperationRequestResponseMessage',
  'senderKeyDistributionMessage',
  'shareableChatIdentifierEncryptionKey',
  'tcToken',
  'threadIdUserSecret',
]);

export function isSecretField(field: string): boolean {
  return SECRET_FIELDS.has(field);
}

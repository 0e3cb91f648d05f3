/**
 * Fields of a message's content that are left out of every payload, at any depth, by their names in WhatsApp's protobuf
 * schema: they carry keys, or what the devices of one account send to each other. Keys of media are not among them: a
 * client needs those to read the files that it receives.
 */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'acAuthTokens',
  'appStateSyncKeyRequest',
  'appStateSyncKeyShare',
  'axolotlSenderKeyDistributionMessage',
  'botMessageSecret',
  'callKey',
  'collectionSnapshot',
  'companionCanonicalUserNonceFetchRequestResponse',
  'companionMetaNonceFetchRequestResponse',
  'contactPrimaryIdentityKey',
  'deviceListMetadata',
  'encHandle',
  'encKey',
  'encodedMappingPayload',
  'ephemeralSharedSecret',
  'fastRatchetKeySenderKeyDistributionMessage',
  'historySyncNotification',
  'initialHistBootstrapInlinePayload',
  'initialSecurityNotificationSettingSync',
  'lidMigrationMappingSyncMessage',
  'masterKey',
  'messageSecret',
  'nonce',
  'peerDataOperationRequestMessage',
  'peerDataOperationRequestResponseMessage',
  'recipientKeyHash',
  'reportingTag',
  'reportingTokenInfo',
  'senderKeyDistributionMessage',
  'senderKeyHash',
  'shareableChatIdentifierEncryptionKey',
  'tcToken',
  'threadIdUserSecret',
  'waffleNonceFetchRequestResponse',
  'webMessageInfoBytes',
]);

/**
 * The bytes that a client may see: hashes, thumbnails, keys of media, and data that is encrypted with an unpublished
 * key. All others are left out, so that a key that a later version of WhatsApp adds is not published before it was
 * reviewed.
 */
const PUBLIC_BYTES: ReadonlySet<string> = new Set([
  'artworkEncSha256',
  'artworkMediaKey',
  'artworkSha256',
  'attachmentFileEncSha256',
  'attachmentFileSha256',
  'attachmentJpegThumbnail',
  'attachmentMediaKey',
  'conversionData',
  'countryBlocklist',
  'ctwaPayload',
  'encIv',
  'encPayload',
  'fileEncSha256',
  'fileSha256',
  'firstFrameSidecar',
  'firstScanSidecar',
  'inviteLinkParentGroupThumbnailV2',
  'jpegThumbnail',
  'mediaCiphertextSha256',
  'mediaKey',
  'midQualityFileEncSha256',
  'midQualityFileSha256',
  'newPhoto',
  'oldPhoto',
  'pngThumbnail',
  'scansSidecar',
  'selectedOptions',
  'streamingSidecar',
  'thumbData',
  'thumbnail',
  'thumbnailEncSha256',
  'thumbnailSha256',
  'waveform',
]);

function isBytes(value: unknown): boolean {
  return value instanceof Uint8Array || (Array.isArray(value) && value.some(isBytes));
}

/** Whether a field with this value is left out of payloads. */
export function isWithheld(field: string, value: unknown): boolean {
  return SECRET_FIELDS.has(field) || (isBytes(value) && !PUBLIC_BYTES.has(field));
}

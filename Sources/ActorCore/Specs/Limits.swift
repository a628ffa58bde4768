/// Every bound in one place. Reaching one is an answer (413, 429, a dead letter), never growth.
package struct Limits: Sendable, Equatable {
    /// Largest JSON or form body, in bytes.
    package var maxBodyBytes = 10_485_760
    /// Largest `application/octet-stream` message, in bytes.
    package var maxBinaryBytes = 10_485_760
    /// Largest file of an upload over HTTP, in bytes.
    package var maxUploadBytes: Int64 = 1 << 40
    /// Most bytes that may lie in the inbox, what is being received among them; nil for as much as the disk holds.
    package var maxInboxBytes: Int64?
    /// Deepest nesting of a JSON body.
    package var maxJSONDepth = 64
    /// Longest chain of messages caused by one another before it is taken for a loop.
    package var maxHops = 64
    /// Messages that one mailbox may hold before senders get 429.
    package var maxMailbox = 1_000_000
    /// Bytes of waiting messages, over all mailboxes, before senders get 429.
    package var maxWaitingBytes: Int64 = 8 << 30
    /// Messages that one sender may have waiting in one mailbox before it gets 429; nil for no bound of its own.
    package var maxPerSender: Int?
    /// How long an idempotency key gives the first answer again, in hours.
    package var idempotencyHours = 72
    /// Messages of one mailbox kept in memory; the store holds the rest.
    package var mailboxHead = 64
    /// Executions that may run at once, over all actors.
    package var maxRunning = 64
    /// Bytes of an execution's log that are kept (actors API, section 6.1).
    package var maxLogBytes = 1_000_000
    /// Most environment entries that a message may carry in its query.
    package var maxEnvironmentEntries = 256
    /// Events that a slow reader of the event stream may lag behind before it is cut off.
    package var eventBacklog = 1024
    /// Bytes of result that an execution may leave behind.
    package var maxResultBytes = 1_048_576

    package init() {}

    /// The text that ends a log that was cut (actors API, section 6.1).
    package static let truncationNotice = " LOG LIMIT EXCEEDED; this execution log was TRUNCATED!"
}

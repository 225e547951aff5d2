// @ts-check
/**
 * The cloud as the stream tells it. Pure: messages in, rows out.
 *
 * @typedef {import("./types").Kind} Kind
 * @typedef {import("./types").Row} Row
 * @typedef {import("./types").Message} Message
 */

/** @type {Kind[]} */
export const KINDS = [
  "cloud", "nodes", "instances", "templates", "groups", "distributions", "saves", "apiKeys", "permissionGroups",
  "macPools",
];

class KindRows {
  constructor() {
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    /** @type {Row[] | null} */
    this.list = null;
    /** @type {string | null} the server's, to resume from */
    this.since = null;
    this.version = 0;
    this.stale = 0;
    /** @type {string | undefined} */
    this.denied = undefined;
  }

  changed() {
    this.list = null;
    this.version += 1;
  }

  clear() {
    this.rows.clear();
    this.since = null;
    this.changed();
  }

  /** @param {string} version @param {Row[]} rows */
  replace(version, rows) {
    const fresh = new Map(rows.map((row) => [row.id, row]));
    /** @type {Map<string, Row>} */
    const ordered = new Map();
    // Rows that were there keep their place: an order of arrival, also over a reconnect.
    for (const id of this.rows.keys()) {
      const row = fresh.get(id);
      if (row) ordered.set(id, row);
    }
    for (const [id, row] of fresh) ordered.set(id, row);
    this.rows = ordered;
    this.since = version;
    this.stale = 0;
    this.changed();
  }

  /** @param {{version: string, upsert?: Row[], remove?: string[]}} change */
  change({ version, upsert = [], remove = [] }) {
    for (const id of remove) this.rows.delete(id);
    for (const row of upsert) this.rows.set(row.id, row);
    this.since = version;
    if (upsert.length || remove.length) this.changed();
  }
}

/** @typedef {import("./types").Store} Store */
/** @implements {Store} */
export class CloudStore {
  constructor() {
    /** @type {Map<Kind, KindRows>} */
    this.kinds = new Map(KINDS.map((kind) => [kind, new KindRows()]));
  }

  /** @param {Kind} kind */
  of(kind) {
    const rows = this.kinds.get(kind);
    if (!rows) throw new Error(`no such kind: ${kind}`);
    return rows;
  }

  /** @param {Message} message */
  apply(message) {
    if (message.type === "snapshot") {
      if (this.kinds.has(message.kind)) this.of(message.kind).replace(message.version, message.rows);
    } else if (message.type === "delta") {
      for (const [kind, change] of Object.entries(message.changes)) {
        if (this.kinds.has(/** @type {Kind} */ (kind))) this.of(/** @type {Kind} */ (kind)).change(change);
      }
    } else if (message.type === "hello") {
      for (const [kind, rows] of this.kinds) {
        const lacking = message.denied?.[kind];
        if (lacking !== undefined && rows.denied === undefined) rows.clear();
        if (lacking !== rows.denied) rows.version += 1;
        rows.denied = lacking;
        rows.stale = 0; // the next ping knows better
      }
    } else if (message.type === "ping") {
      for (const [kind, rows] of this.kinds) rows.stale = message.stale?.[kind] ?? 0;
    }
  }

  /** Nothing has come for so long. @param {number} seconds */
  age(seconds) {
    for (const rows of this.kinds.values()) rows.stale = seconds;
  }

  /** Where to resume. @returns {Partial<Record<Kind, string>>} */
  since() {
    /** @type {Partial<Record<Kind, string>>} */
    const since = {};
    for (const [kind, rows] of this.kinds) if (rows.since !== null) since[kind] = rows.since;
    return since;
  }

  /** Somebody else logs in: nothing may be left. */
  forget() {
    for (const rows of this.kinds.values()) {
      rows.clear();
      rows.denied = undefined;
      rows.stale = 0;
    }
  }

  /**
   * @template {Kind} K
   * @param {K} kind
   * @returns {import("./types").Rows[K][]}
   */
  rows(kind) {
    const rows = this.of(kind);
    rows.list ??= [...rows.rows.values()];
    return /** @type {import("./types").Rows[K][]} */ (rows.list);
  }

  /**
   * @template {Kind} K
   * @param {K} kind
   * @param {string | null | undefined} id
   * @returns {import("./types").Rows[K] | undefined}
   */
  get(kind, id) {
    return /** @type {any} */ (id == null ? undefined : this.of(kind).rows.get(id));
  }

  /** @param {Kind} kind @returns {import("./types").KindState} */
  state(kind) {
    const rows = this.of(kind);
    if (rows.denied !== undefined) return "denied";
    if (rows.since === null) return "loading";
    return rows.stale > 0 ? "stale" : "ready";
  }

  /** @param {Kind} kind */
  version(kind) {
    return this.of(kind).version;
  }

  /** @param {Kind} kind */
  staleSeconds(kind) {
    return this.of(kind).stale;
  }

  /** @param {Kind} kind */
  denied(kind) {
    return this.of(kind).denied;
  }
}

// @ts-check
import events from "./events.js";
import log from "./log.js";
import logs from "./logs.js";
import macAddresses from "./mac-addresses.js";
import usb from "./usb.js";
import vlan from "./vlan.js";

/** @type {import("../core/types").View[]} */
export const cloudViews = [logs, log, events, usb, vlan, macAddresses];

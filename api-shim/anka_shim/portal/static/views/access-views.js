// @ts-check
import access from "./access.js";
import apiKeys from "./api-keys.js";
import permissionGroup from "./permission-group.js";
import permissionGroups from "./permission-groups.js";

/** @type {import("../core/types").View[]} */
export const accessViews = [access, permissionGroups, permissionGroup, apiKeys];

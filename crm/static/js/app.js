// Everything here is progressive: every page works without it. No words live here; texts come from data attributes.
import { keepDrafts } from "./drafts.js";
import { guardSubmits, guardSensitive } from "./guard.js";
import { focusErrors } from "./errors.js";
import { weighFiles } from "./files.js";
import { openFilters } from "./folds.js";
import { openSheets } from "./menus.js";
import { suggestAsTyped } from "./palette.js";
import { followWork } from "./progress.js";
import { repeatRows } from "./repeat.js";
import { tickSeveral } from "./several.js";
import { followCountry } from "./zones.js";
import { listenForKeys } from "./shortcuts.js";

document.documentElement.classList.add("js");
focusErrors();
repeatRows();
keepDrafts();
guardSubmits();
guardSensitive();
openSheets();
openFilters();
suggestAsTyped();
weighFiles();
listenForKeys();
followWork();
tickSeveral();
followCountry();

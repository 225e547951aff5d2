"""The environment of a guest's processes, and the commands of macOS that stand in for the host's."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anka_sim.mac import guest, guest_root, sandbox

VM: dict[str, Any] = {
    "uuid": "u-1",
    "name": "vm",
    "hard_drive": 80,
    "cpu_cores": 3,
    "ram_bytes": 8 << 30,
    "ip": "192.168.64.7",
}
Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


def test_the_guests_own_variables_win_over_inherited_ones_and_lose_to_overrides() -> None:
    given = {"HOME": "/root", "LANG": "de", "OURS": "1"}
    env = guest.environment("/mac", VM, "boot", inherit=given, override={"LANG": "fr"})
    assert (env["HOME"], env["LANG"], env["OURS"]) == ("/mac/vms/u-1/root/Users/anka", "fr", "1")
    assert (env["VM_NAME"], env[guest.MARK_VM], env[guest.MARK_BOOT]) == ("vm", "u-1", "boot")


def test_the_mark_cannot_be_overridden() -> None:
    assert guest.environment("/mac", VM, "boot", override={guest.MARK_VM: "other"})[guest.MARK_VM] == "u-1"


def test_with_its_own_root_a_guest_has_a_macs_paths() -> None:
    env = guest.environment("/mac", VM, "boot", own_root=True)
    assert (env["HOME"], env["TMPDIR"]) == ("/Users/anka", "/tmp")
    assert env["PATH"].startswith("/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")


def make_shell(home: Path, *, own_root: bool) -> Shell:
    guest.write_tools(str(home))
    root = sandbox.make(sandbox.root(str(home), VM["uuid"]))
    if own_root and not guest_root.is_possible(str(home), root):
        pytest.skip("this kernel gives this user no namespaces")
    env = guest.environment(str(home), VM, "boot", own_root=own_root)
    cwd = f"{root}/{sandbox.USER_HOME}"
    enter = None
    if own_root:
        mounts = guest_root.prepare(str(home), root)
        enter = guest_root.entering(root, mounts, hostname=VM["name"], cwd=f"/{sandbox.USER_HOME}")

    def run(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", line], env=env, cwd=cwd, preexec_fn=enter, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="module")
def macos(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell in a guest with its own root."""
    return make_shell(tmp_path_factory.mktemp("mac"), own_root=True)


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell in a guest that sees the host's paths."""
    return make_shell(tmp_path_factory.mktemp("mac"), own_root=False)


# What clients and their users' scripts run in a guest: a line, its exit code, and what it prints on both outputs.
LINES: list[tuple[str, int, str]] = [
    # The shell: scripts for `sh` on a Mac are run by bash in POSIX mode.
    ("set -o pipefail; false | true", 1, ""),
    ("set -exo pipefail; [[ a == a ]] && echo ok 2>&1", 0, r"(?s).*ok\n"),
    ("shopt -o posix", 0, "posix +\ton\n"),
    # Who, where and what.
    ("id -un; id -u; id -g; id -gn", 0, "anka\n501\n20\nstaff\n"),
    ("id anka", 0, r"uid=501\(anka\) gid=20\(staff\) groups=20\(staff\),.*80\(admin\).*\n"),
    ("id nobodyhere", 1, "id: nobodyhere: no such user\n"),
    ("whoami; logname; groups", 0, "anka\nanka\nstaff everyone localaccounts admin _lpadmin\n"),
    ("sudo whoami; sudo id -u; sudo -n -u anka id -un; sudo -E X=1 sh -c 'echo $X$USER'", 0, "root\n0\nanka\n1root\n"),
    ("sudo -S -p '' -H -- echo in; sudo -v; sudo -k", 0, "in\n"),
    ("sudo no-such-command", 1, "sudo: no-such-command: command not found\n"),
    ("sudo -u nobodyhere true", 1, "sudo: unknown user: nobodyhere\n"),
    ("hostname; hostname -s; uname -n", 0, "vm\nvm\nvm\n"),
    ("uname; uname -m; uname -sr; uname -p; arch", 0, "Darwin\narm64\nDarwin 24.1.0\narm\narm64\n"),
    ("arch -x86_64 echo in", 0, "in\n"),
    ("uname -o", 1, "usage: uname .*\n"),
    ("sw_vers -productVersion; sw_vers --buildVersion; sw_vers -productName", 0, "15.1\n24B83\nmacOS\n"),
    ("sw_vers", 0, "ProductName:\t\tmacOS\nProductVersion:\t\t15.1\nBuildVersion:\t\t24B83\n"),
    ("sw_vers -x", 1, "Usage: sw_vers .*\n"),
    ("sysctl -n hw.ncpu hw.memsize hw.optional.arm64", 0, "3\n8589934592\n1\n"),
    ("sysctl hw.logicalcpu; sysctl -n machdep.cpu.brand_string", 0, r"hw.logicalcpu: 3\nApple M2 \(Virtual\)\n"),
    ("sysctl -n sysctl.proc_translated kern.osproductversion", 0, "0\n15.1\n"),
    ("sysctl -n no.such", 1, "sysctl: unknown oid 'no.such'\n"),
    ("system_profiler SPHardwareDataType | grep -E 'Cores|Memory'", 0, r" +Total Number of Cores: 3\n +Memory: 8 GB\n"),
    ("system_profiler SPSoftwareDataType | grep 'System Version'", 0, r" +System Version: macOS 15.1 \(24B83\)\n"),
    ("system_profiler SPUSBDataType", 1, "system_profiler: SPUSBDataType is not simulated\n"),
    # The disk: what packer's plugin runs after it has made the disk larger.
    ("diskutil info / | awk '/APFS Container:/ {print $NF; exit}'", 0, "disk3\n"),
    ("diskutil info / | awk '/APFS Physical Store:/ {print $NF; exit}'", 0, "disk0s2\n"),
    (r"diskutil apfs list | awk '/^\+-- Container / {print $3; exit}'", 0, "disk3\n"),
    ("diskutil info disk3 >/dev/null && diskutil list | head -1", 0, r"/dev/disk0 \(internal, physical\):\n"),
    ("diskutil info disk9", 1, "Could not find disk: disk9\n"),
    ("diskutil apfs resizeContainer disk9 0", 1, "Could not find APFS Container disk9\n"),
    ("diskutil apfs resizeContainer disk3 0 | tail -1; diskutil apfs resizeContainer disk3 0", 1,
     r"(?s)Finished.*-69743.*"),
    ("diskutil dance", 1, 'diskutil: did not recognize verb "dance"\n'),
    # BSD's variants of commands that GNU has as well.
    ("script -q /dev/null echo 'a  b'", 0, "a  b\n"),
    ("script -q out sh -c 'echo said; exit 3'; echo $?; cat out", 0, "said\n3\nsaid\n"),
    ("script -c true", 1, r"script: illegal option -- c\nusage: .*\n"),
    ("printf hello >f; stat -f %z f; stat -f '%Su %Sg %Lp %N' f; stat -f%HT .", 0, "5\nanka staff 644 f\nDirectory\n"),
    ("touch -t 202601020304.05 t; stat -f %m t; stat -f %Sm -t %Y-%m-%d t", 0, "1767323045\n2026-01-02\n"),
    ("ln -sf f l; stat -f %Y l; stat -L -f %z f; stat -f '%p %%%n' f", 0, "f\n5\n100644 %\n\n"),
    ("stat -c %s f", 1, r"stat: illegal option -- c\nusage: .*\n"),
    ("stat -f %z missing", 1, "stat: missing: stat: No such file or directory\n"),
    ("date -j -f '%Y-%m-%d %H:%M:%S' '2026-01-02 03:04:05' +%s", 0, "1767323045\n"),
    ("date -j -f '%a %b %d %T %Z %Y' 'Fri Jan 02 03:04:05 UTC 2026' +%s", 0, "1767323045\n"),
    ("date -jf %Y-%m-%dT%H:%M:%SZ 2026-01-02T03:04:05Z +%F", 0, "2026-01-02\n"),
    ("date -u -r 0; date -u -r 86400 +%F; date -r t +%Y", 0, "Thu Jan  1 00:00:00 UTC 1970\n1970-01-02\n2026\n"),
    ("date -j -v+1d -f %Y-%m-%d 2026-02-28 +%F; date -r 0 -u -v-1H -v1d +%d-%H", 0, "2026-03-01\n01-23\n"),
    ("date -j 010203042026 +%F", 0, "2026-01-02\n"),
    ("date -u +%Y | grep -cE '^20[0-9]{2}$'; date -Iseconds | grep -c T", 0, "1\n1\n"),
    ("date -j -f %Y-%m-%d nonsense", 1, r"(?s)Failed conversion of ``nonsense'' using format ``%Y-%m-%d''.*"),
    ("date -d tomorrow", 1, r"date: illegal option -- d\nusage: .*\n"),
    ("echo hi >s; sed -i '' s/hi/ho/ s; cat s; sed -i.bak -E 's/(h)o/\\1a/' s; cat s s.bak", 0, "ho\nha\nho\n"),
    ("echo x | sed -e s/x/y/ -ne p", 0, "y\n"),
    ("sed -i s/h/j/ s", 1, ".*unterminated .*\n"),
    ("echo x | sed --regexp-extended s/x/y/", 1, r"sed: illegal option -- -\nusage: .*\n"),
    ("echo aGk= | base64 -D; echo aGk= | base64 --decode; echo aGk= | base64 -d", 0, "hihihi"),
    ("head -c 90 /dev/zero | base64 | wc -l; printf hi >b; base64 -i b", 0, " *1\naGk=\n"),
    ("echo hi | base64 -w0", 64, r"base64: invalid option -- w0\nUsage: .*\n"),
    ("mktemp -t pre; mktemp -d -t pre; mktemp -d", 0, r"(\S*/tmp/pre\.\w{10}\n){2}\S*/tmp/tmp\.\w{10}\n"),
    ("mktemp literal.txt; mktemp literal.txt", 1, "literal.txt\nmktemp: mkstemp failed on literal.txt: File exists\n"),
    ("mktemp --suffix=.txt", 1, r"mktemp: illegal option -- -\nusage: .*\n"),
    ("md5 -q f; md5 -s hello; printf hello | md5", 0, r'5d41\w+\nMD5 \("hello"\) = 5d41\w+\n5d41\w+\n'),
    ("mkdir -p a/b; ditto a c; ls c", 0, "b\n"),
    # Settings and services.
    ("defaults write com.x k -bool true; defaults read com.x k; defaults delete com.x k; defaults read com.x k", 1,
     r"1\n.*\nThe domain/default pair of \(com.x, k\) does not exist\n"),
    ("defaults write -g AppleLocale en_US; defaults read NSGlobalDomain AppleLocale", 0, "en_US\n"),
    ("defaults read /System/Library/CoreServices/SystemVersion ProductVersion", 0, "15.1\n"),
    ("sudo launchctl unload -w /System/Library/LaunchDaemons/com.apple.metadata.mds.plist", 0, ""),
    ("launchctl load ~/missing.plist", 2, r"\S+: No such file or directory\nLoad failed: .*\n"),
    ("launchctl list; launchctl print system/com.x", 113, r"(?s)PID\tStatus\tLabel\n.*Could not find service.*"),
    ("dscl . -list /Users; dscl . -read /Users/anka UserShell", 0, r"anka\nroot\nUserShell: \S+\n"),
    ("dscl . -read /Users/who", 56, ".*eDSRecordNotFound.*\n"),
    ("dscl . -create /Users/who", 40, ".*users are not simulated\n"),
    ("scutil --get ComputerName; sudo scutil --set HostName new; scutil --get HostName", 0, "vm\nnew\n"),
    ("softwareupdate -l | tail -1; softwareupdate --install-rosetta --agree-to-license", 0,
     "No new software available.\nInstall of Rosetta 2 finished successfully\n"),
    ("xcode-select -p; xcrun --find true", 0, "/Library/Developer/CommandLineTools\n/\\S*bin/true\n"),
    ("xcodebuild -version", 1, "xcode-select: error: tool 'xcodebuild' requires Xcode.*\n"),
    ("sudo xcode-select -s /Applications/Xcode.app", 1, ".*invalid developer directory.*\n"),
    ("xcrun simctl list", 72, 'xcrun: error: unable to find utility "simctl".*\n'),
    ("csrutil status; spctl --status", 0, "System Integrity Protection status: disabled.\nassessments disabled\n"),
    ("csrutil disable", 1, "csrutil: This tool needs to be executed from Recovery OS.\n"),
    ('kextstat | grep "com.veertu.filesystems.vtufs"', 1, ""),
    ("security create-keychain -p x build.keychain; security unlock-keychain -p x build.keychain; "
     "security delete-keychain build.keychain; security delete-keychain build.keychain", 50, ".*could not be found.\n"),
    ("security find-identity -v -p codesigning", 0, " +0 valid identities found\n"),
    ("pkgutil --pkg-info=com.example", 1, "No receipt for 'com.example' found at '/'.\n"),
    ("sudo mdutil -a -i off / && sudo pmset -a sleep 0 && sudo sntp -sS time.apple.com && tmutil disable", 0, ""),
    ("systemsetup -getremotelogin; networksetup -listallnetworkservices | tail -1", 0, "Remote Login: On\nEthernet\n"),
    ("caffeinate -i -s echo awake", 0, "awake\n"),
    # The network.
    ("ping -c 1 8.8.8.8 | tail -1; ipconfig getifaddr en0; ifconfig en0 | grep -c 192.168.64.7", 0,
     "1 packets transmitted, 1 packets received, 0.0% packet loss\n192.168.64.7\n1\n"),
    ("ipconfig getifaddr en9", 1, ""),
]  # fmt: skip


@pytest.mark.parametrize(("line", "code", "output"), LINES, ids=[row[0][:50] for row in LINES])
def test_commands_answer_as_on_macos(macos: Shell, line: str, code: int, output: str) -> None:
    done = macos(line)
    text = done.stdout.replace("\r\n", "\n") + done.stderr
    assert (done.returncode, re.fullmatch(output, text) is not None) == (code, True), (done.returncode, text)


HOSTED = [
    ("set -o pipefail; false | true", 1, ""),
    ("sw_vers -productVersion; hostname; whoami; uname", 0, "15.1\nvm\nanka\nDarwin\n"),
    ("sudo -n echo done; echo aGk= | base64 -D", 0, "done\nhi"),
    ("diskutil info / | awk '/APFS Container:/ {print $NF; exit}'", 0, "disk3\n"),
]


@pytest.mark.parametrize(("line", "code", "output"), HOSTED, ids=[row[0] for row in HOSTED])
def test_without_its_own_root_the_stand_ins_come_first(hosted: Shell, line: str, code: int, output: str) -> None:
    done = hosted(line)
    assert (done.returncode, done.stdout) == (code, output)


def test_every_stand_in_is_bash_that_parses(tmp_path: Path) -> None:
    guest.write_tools(str(tmp_path))
    tools = [path for path in (tmp_path / guest_root.TOOLS).iterdir() if path.name != "sh"]
    for path in tools:
        assert path.read_text().startswith("#!/bin/bash\n"), path.name
        assert path.stat().st_mode & 0o777 == 0o755, path.name
    done = subprocess.run(["bash", "-n", *tools[:1]], check=False)
    assert done.returncode == 0

"""One instance's life on one Mac, against a real apiserver and the simulated `anka`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest

from support.agents import Bench, Object, script, until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench("agent-life")


@pytest.fixture(autouse=True)
def clean(bench: Bench) -> Iterator[None]:
    """One test's failure must not be the next one's."""
    yield
    bench.clear()


def ready(instance: dict[str, object]) -> dict[str, str]:
    conditions = instance["status"]["conditions"]  # type: ignore[index]
    return next(condition for condition in conditions if condition["type"] == "Ready")


def test_another_controllers_instance_is_passed_over(bench: Bench) -> None:
    """Its status mirrors one of another cloud, whose Mac may have the name of ours."""
    bench.create("theirs", managedBy="example.com/other")
    before = bench.get("theirs")
    bench.create("ours")
    bench.wait_phase("ours", "Started")
    assert len(bench.vms()) == 1
    bench.delete("theirs", wait=False)
    bench.delete("ours")
    left = bench.get("theirs")
    assert left["metadata"]["finalizers"] == ["anka.veertu.com/vm"], "whoever gave it one takes it"
    assert left["status"] == before["status"]
    bench.patch("theirs", {"metadata": {"finalizers": None}})
    assert not bench.exists("theirs")


class TestStart:
    def test_shows_the_vm(self, bench: Bench) -> None:
        bench.create("plain")
        instance = bench.wait_phase("plain", "Started")
        (vm,) = bench.vms()
        shown = instance["status"]["vm"]
        assert shown["uuid"] == vm["uuid"]
        assert shown["name"] == vm["name"]
        assert shown["status"] == "running"
        assert shown["hostIp"] == "127.0.0.1"
        assert shown["ip"]
        assert [rule["guestPort"] for rule in shown["portForwarding"]] == [22]
        assert "admin" not in json.dumps(instance), "the VNC password must stay on the Mac"
        assert ready(instance)["status"] == "True"
        assert instance["status"]["arch"] == "arm64"
        bench.delete("plain")
        assert bench.vms() == []

    def test_options_reach_the_vm(self, bench: Bench) -> None:
        bench.create(
            "options",
            tag="v2",
            nameTemplate="ci-$template_name",
            resources={"vcpu": 3, "memoryMib": 3072},
            portForwarding=[{"name": "web", "guestPort": 80}],
        )
        shown = bench.wait_phase("options", "Started")["status"]["vm"]
        assert shown["name"].startswith("mgmtManaged-ci-macos-")
        assert shown["cpuCores"] == 3
        assert shown["ram"] == "3G"
        assert shown["version"] == "v2"
        assert [rule["guestPort"] for rule in shown["portForwarding"]] == [80]
        bench.delete("options")

    def test_refused_option_is_an_error_with_the_commands_words(self, bench: Bench) -> None:
        bench.create("greedy", resources={"vcpu": 200})
        instance = bench.wait_phase("greedy", "Error")
        assert ready(instance)["reason"] == "ConfigureFailed"
        assert "anka modify:" in instance["status"]["message"]
        bench.delete("greedy")
        assert bench.vms() == []

    def test_unknown_tag_is_an_error(self, bench: Bench) -> None:
        bench.create("no-tag", tag="v99")
        instance = bench.wait_phase("no-tag", "Error")
        assert ready(instance)["reason"] == "TemplateNotFound"
        bench.delete("no-tag")

    def test_a_pull_is_shared_and_reported(self, make_bench: Callable[..., Bench]) -> None:
        puller = make_bench("agent-pull", held=False, delays={"pull_bytes_per_second": 100_000, "network": 0.1})
        puller.create("pull-1")
        puller.create("pull-2")
        told = puller.wait_for("pull-1", "jsonpath={.status.progressPercent}")["status"]
        assert 0 < told["progressPercent"] <= 100
        assert told["phase"] == "Pulling"
        for name in ("pull-1", "pull-2"):
            status = puller.wait_phase(name, "Started")["status"]
            assert "progressPercent" not in status
        assert len(puller.commands("registry", "pull", "--tag")) == 1

        def node() -> Object:
            found: Object = json.loads(puller.kubectl.run("get", "ankanode", "agent-pull", "--output=json"))["status"]
            return found

        until(
            lambda: {held["tag"] for held in node().get("templates", ())} == {"v1"}, what="the node tells what it holds"
        )
        assert node()["hostArch"] == "arm64"
        for name in ("pull-1", "pull-2"):
            puller.delete(name)


class TestStartDeadline:
    def test_one_that_does_not_start_in_time_fails_and_leaves_no_running_vm(
        self, make_bench: Callable[..., Bench]
    ) -> None:
        slow = make_bench("agent-slow", delays={"start": 30.0})
        slow.create("late", startDeadlineSeconds=6)
        status = slow.wait_phase("late", "Error")["status"]
        # Which step it was at depends on how busy the machine is.
        assert status["message"].startswith("The VM had not started 6 s after it was asked for (it was at: ")
        until(lambda: all(vm["status"] != "running" for vm in slow.vms()), what="no VM runs")
        slow.delete("late")
        assert slow.vms() == []

    def test_one_that_does_goes_on(self, bench: Bench) -> None:
        bench.create("timely", startDeadlineSeconds=60, maxLifetimeSeconds=3600)
        bench.wait_phase("timely", "Started")
        bench.delete("timely")


class TestScript:
    def test_success_is_reported_with_output(self, bench: Bench) -> None:
        bench.create("ok", startupScript=script('echo "$((6*7))"; echo warn >&2', monitoring=True))
        status = bench.wait_phase("ok", "Started")["status"]
        assert status["startupScript"] == {
            "returnCode": 0, "didTimeout": False, "stdout": "42\n", "stderr": "warn\n",
        }  # fmt: skip
        bench.delete("ok")

    def test_without_monitoring_it_runs_once_and_nobody_waits(self, bench: Bench) -> None:
        bench.create("fire", startupScript=script("echo ran >> ~/ran; sleep 30"))
        status = bench.wait_phase("fire", "Started")["status"]
        assert "startupScript" not in status
        uuid = status["vm"]["uuid"]
        ran = bench.mac.directory / "vms" / uuid / "root" / "Users" / "anka" / "ran"
        assert until(lambda: ran.exists() and ran.read_text()) == "ran\n"
        bench.delete("fire")

    @pytest.mark.parametrize(
        ("handler", "vm_status", "left"), [("Stop", "stopped", 1), ("Keep", "running", 1), ("Delete", "deleted", 0)]
    )
    def test_failure(self, bench: Bench, handler: str, vm_status: str, left: int) -> None:
        name = f"fails-{handler.lower()}"
        bench.create(name, startupScript=script("exit 9", monitoring=True, failHandler=handler))
        instance = bench.wait_phase(name, "Error")
        assert ready(instance)["reason"] == "ScriptFailed"
        assert "exit code 9" in instance["status"]["message"]
        assert instance["status"]["startupScript"]["returnCode"] == 9
        assert instance["status"]["vm"]["status"] == vm_status
        assert len(bench.vms()) == left
        bench.delete(name)
        assert bench.vms() == []

    def test_timeout(self, bench: Bench) -> None:
        bench.create("slow", startupScript=script("echo begun; sleep 600", monitoring=True, timeoutSeconds=5))
        instance = bench.wait_phase("slow", "Error")
        result = instance["status"]["startupScript"]
        assert (result["returnCode"], result["didTimeout"], result["stdout"]) == (-1, True, "begun\n")
        assert ready(instance)["reason"] == "ScriptTimedOut"
        bench.delete("slow")

    def test_booted_runs_before_the_network_is_up(self, make_bench: Callable[..., Bench]) -> None:
        early = make_bench("agent-booted", delays={"network": 3600.0})
        early.create("booted", startupScript=script("true", monitoring=True, condition="Booted"))
        until(lambda: early.commands("run"), what="the end of the script")
        early.looked()
        assert early.get("booted")["status"]["phase"] == "Scheduling"
        with early.mac.store.lock():
            (vm,) = (vm for vm in early.mac.store.vms() if vm["status"] == "running")
            early.mac.store.put({**vm, "network_at": 0.0})
        early.wait_phase("booted", "Started")
        early.delete("booted")

    def test_secret_that_may_not_be_read(self, bench: Bench) -> None:
        reference = {"secretRef": {"name": "hidden", "key": "script"}}
        bench.create("secret", startupScript=reference)
        message = bench.wait_phase("secret", "Error")["status"]["message"]
        assert "Secret default/hidden may not be read by this node" in message
        assert "let the operator hand out Secrets of namespace default" in message
        bench.delete("secret")

    def test_a_right_that_comes_late_is_waited_for(self, make_bench: Callable[..., Bench]) -> None:
        """The operator hands it out while the agent is already at work; here people do."""
        patient = make_bench("agent-secret", "--secret-timeout=60")
        word = "sesame-open-7391"
        patient.kubectl.run("create", "secret", "generic", "late", f"--from-literal=script=echo {word} >> ~/said")
        reference = {"secretRef": {"name": "late", "key": "script"}, "monitoring": True}
        patient.create("patient", startupScript=reference)
        until(lambda: patient.commands("start"))
        patient.kubectl.run("create", "role", "late", "--verb=get", "--resource=secrets", "--resource-name=late")
        patient.kubectl.run(
            "create", "rolebinding", "late", "--role=late", "--serviceaccount=anka-nodes:node-agent-secret"
        )
        instance = patient.wait_phase("patient", "Started")
        assert instance["status"]["startupScript"]["returnCode"] == 0
        # What a Secret holds is nobody else's business: neither the object, nor the log, nor the Mac's disk has it.
        assert word not in json.dumps(instance)
        assert patient.mac.agent is not None
        log = patient.mac.agent.log.read_text()
        assert "patient" in log
        assert word not in log
        state = patient.mac.directory / "agent"
        kept = [file for file in state.rglob("*") if file.is_file() and word.encode() in file.read_bytes()]
        assert kept == []
        patient.delete("patient")

    @pytest.mark.parametrize(
        ("key", "says"),
        [("nonesuch", "Secret default/there has no key nonesuch"), ("script", "Secret default/gone does not exist")],
        ids=["no such key", "no such Secret"],
    )
    def test_what_is_wrong_with_a_secret_is_said(self, bench: Bench, key: str, says: str) -> None:
        name = says.split("/")[1].split()[0]
        if name == "there":
            bench.kubectl.run("create", "secret", "generic", name, "--from-literal=script=true")
        bench.kubectl.run("create", "role", name, "--verb=get", "--resource=secrets", f"--resource-name={name}")
        account = f"--serviceaccount=anka-nodes:node-{bench.mac.name}"
        bench.kubectl.run("create", "rolebinding", name, f"--role={name}", account)
        bench.create(f"wrong-{name}", startupScript={"secretRef": {"name": name, "key": key}})
        assert says in bench.wait_phase(f"wrong-{name}", "Error")["status"]["message"]
        bench.delete(f"wrong-{name}")


class TestAfterStart:
    def test_restart_gives_a_new_start_date(self, bench: Bench) -> None:
        bench.create("again", startupScript=script("echo ran >> ~/ran", monitoring=True))
        before = bench.wait_phase("again", "Started")["status"]["vm"]
        time.sleep(1.1)  # start dates have whole seconds
        wanted = "2030-01-01T00:00:00Z"
        bench.patch("again", {"spec": {"restartedAt": wanted}})
        after = bench.wait_for("again", f"jsonpath={{.status.restartedAt}}={wanted}")["status"]
        assert after["phase"] == "Started"
        assert after["vm"]["status"] == "running"
        assert after["vm"]["uuid"] == before["uuid"]
        assert after["vm"]["startDate"] != before["startDate"]
        assert [argv for argv in bench.commands("stop", "--force") if argv[-1] == before["uuid"]]
        ran = bench.mac.directory / "vms" / before["uuid"] / "root" / "Users" / "anka" / "ran"
        assert ran.read_text() == "ran\n", "the startup script belongs to the first start"
        bench.delete("again")

    def test_restart_with_another_usb_device_and_vnc_password(self, make_bench: Callable[..., Bench]) -> None:
        devices = [{"id": name, "name": name, "location": name} for name in ("one", "two")]
        bench = make_bench("agent-usb", usb=devices)
        bench.create("other", usbDevice="one")
        vm = bench.wait_phase("other", "Started")["status"]["vm"]
        wanted = "2030-01-01T00:00:00Z"
        bench.patch("other", {"spec": {"restartedAt": wanted, "usbDevice": "two", "vncPassword": "geheim"}})
        bench.wait_for("other", f"jsonpath={{.status.restartedAt}}={wanted}")
        starts = [argv for argv in bench.commands("start") if argv[-1] == vm["uuid"]]
        assert [argv[argv.index("--usb") + 1] for argv in starts] == ["one", "two"]
        assert "geheim" not in json.dumps([starts, bench.get("other")["status"]])
        bench.delete("other")

    def test_a_restart_keeps_the_usb_device_that_was_booked(self, make_bench: Callable[..., Bench]) -> None:
        """Told the group's name, anka would take the first that is free, which is booked for somebody else."""
        devices = [{"id": one, "name": one, "location": one, "group": "phones"} for one in ("1", "2", "3")]
        bench = make_bench("agent-usb-group", usb=devices)
        booked = {"one": "3", "two": "2"}
        for name, location in booked.items():
            bench.create(name, bind=False, usbDevice="phones")
            bench.patch(name, {"status": {"usbDevice": location}}, "--subresource=status")
            bench.bind(name)
        vms = {name: bench.wait_phase(name, "Started")["status"]["vm"]["uuid"] for name in booked}

        def restart(name: str, wanted: str, **more: str) -> str:
            bench.patch(name, {"spec": {"restartedAt": wanted, **more}})
            told = bench.wait_for(name, f"jsonpath={{.status.restartedAt}}={wanted}")
            return str(told["status"]["usbDevice"])

        assert restart("one", "2030-01-01T00:00:00Z") == "3"
        assert restart("one", "2030-01-01T00:00:01Z", usbDevice="1") == "1", "another one was asked for"
        assert restart("two", "2030-01-01T00:00:00Z", usbDevice="3") == "3", "and this one is free again"
        starts = [(argv[-1], argv[argv.index("--usb") + 1]) for argv in bench.commands("start")]
        assert [device for vm, device in starts if vm == vms["one"]] == ["3", "3", "1"]
        assert [device for vm, device in starts if vm == vms["two"]] == ["2", "3"]
        rows = {row["location"]: row.get("vm") for row in bench.mac.run("usb", "list")}
        names = {vm["uuid"]: vm["name"] for vm in bench.vms()}
        assert rows == {"1": names[vms["one"]], "2": None, "3": names[vms["two"]]}

        def told() -> dict[str, bool]:
            node = json.loads(bench.kubectl.run("get", "ankanode", bench.mac.name, "--output=json"))
            return {one["locationId"]: one["available"] for one in node["status"]["usbDevices"]}

        until(lambda: told() == {"1": False, "2": True, "3": False}, what="the node tells who is busy")
        for name in booked:
            bench.delete(name)
        until(lambda: set(told().values()) == {True}, what="and who is free again")

    def test_a_vm_that_dies_is_seen(self, bench: Bench) -> None:
        bench.create("dies")
        vm = bench.wait_phase("dies", "Started")["status"]["vm"]
        bench.mac.run("stop", "--force", vm["uuid"])
        instance = bench.wait_phase("dies", "Stopped")
        assert instance["status"]["vm"]["status"] == "stopped"
        assert ready(instance)["reason"] == "VmStopped"
        bench.delete("dies")
        assert bench.vms() == []

    def test_a_vm_that_vanishes_is_an_error(self, bench: Bench) -> None:
        bench.create("vanishes")
        vm = bench.wait_phase("vanishes", "Started")["status"]["vm"]
        bench.mac.run("delete", "--yes", vm["uuid"])
        instance = bench.wait_phase("vanishes", "Error")
        assert ready(instance)["reason"] == "VmLost"
        assert instance["status"]["vm"]["status"] == "deleted"
        bench.delete("vanishes")
        assert bench.vms() == []

    def test_delete_cancels_what_runs(self, bench: Bench) -> None:
        bench.create("hurry", startupScript=script("sleep 60", monitoring=True))
        until(lambda: bench.vms() and bench.vms()[0]["status"] == "running")
        bench.delete("hurry")
        assert bench.vms() == []

    def test_delete_before_anything_happened(self, bench: Bench) -> None:
        bench.create("brief", bind=False)
        bench.delete("brief", wait=False)
        bench.bind("brief")
        until(lambda: not bench.exists("brief"))
        assert bench.vms() == []


class TestTrouble:
    def test_hanging_and_garbage_are_tried_again(self, bench: Bench) -> None:
        bench.fault("clone", "garbage", times=1)
        bench.create("bumpy")
        bench.wait_phase("bumpy", "Started")
        bench.delete("bumpy")

    def test_a_refusal_is_an_error_at_once(self, bench: Bench) -> None:
        bench.fault("start", "fail", times=1, message="no such luck")
        bench.create("refused")
        instance = bench.wait_phase("refused", "Error")
        assert instance["status"]["message"] == "the VM cannot be started: anka start: no such luck"
        bench.delete("refused")
        assert bench.vms() == []

    def test_removal_never_gives_up_and_says_so(self, bench: Bench) -> None:
        bench.create("sticky")
        bench.wait_phase("sticky", "Started")
        bench.fault("delete", "fail", times=4, message="disk busy")
        bench.delete("sticky", wait=False)
        assert "disk busy" in bench.wait_phase("sticky", "Terminating")["status"]["message"]
        until(lambda: not bench.exists("sticky"))
        assert bench.vms() == []

    def test_orphans_are_removed_and_others_left_alone(self, bench: Bench) -> None:
        bench.create("claimed")
        claimed = bench.wait_phase("claimed", "Started")["status"]["vm"]["name"]
        template = bench.template
        bench.mac.run("clone", template, "mgmtManaged-orphan-123")
        bench.mac.run("start", "mgmtManaged-orphan-123")
        bench.mac.run("clone", template, "somebodys-own")
        until(lambda: bench.mac.vm_names() == [claimed])
        assert bench.mac.run("show", "somebodys-own")["status"] == "stopped"
        bench.mac.run("delete", "--yes", "somebodys-own")
        bench.delete("claimed")

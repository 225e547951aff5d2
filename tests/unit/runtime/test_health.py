from aiohttp import ClientSession

from anka_runtime.health import HealthChecks, serve


async def test_endpoints_tell_the_truth() -> None:
    why: dict[str, str | None] = {"loop": None, "synced": "instances not listed yet"}
    health = HealthChecks(live={"loop": lambda: why["loop"]}, ready={"synced": lambda: why["synced"]})
    runner, port = await serve(health, "127.0.0.1", 0)
    try:
        async with ClientSession(f"http://127.0.0.1:{port}") as session:

            async def get(path: str) -> tuple[int, str]:
                async with session.get(path) as answer:
                    return answer.status, await answer.text()

            assert await get("/livez") == (200, "[ok] loop\n")
            assert await get("/readyz") == (503, "[ok] loop\n[failed] synced: instances not listed yet\n")
            why["synced"] = None
            assert await get("/readyz") == (200, "[ok] loop\n[ok] synced\n")
            why["loop"] = "stuck for 70 s"
            assert (await get("/livez"))[0] == 503
            assert (await get("/readyz"))[0] == 503
            status, text = await get("/metrics")
            assert status == 200
            assert "python_info" in text
    finally:
        await runner.cleanup()


async def test_without_checks_it_is_well() -> None:
    assert HealthChecks().evaluate({}) == (True, "")

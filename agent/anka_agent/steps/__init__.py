"""The steps that change one VM or one save. Each does one thing and can be repeated safely."""

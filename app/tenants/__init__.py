"""Schools: the tenant, its settings and its departments. The first floor: everything else belongs to a tenant.

Nouns: Tenant, SchoolSettings, Department. Events: a school decided to work otherwise (SchoolChanged).
"""

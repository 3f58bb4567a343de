"""What draws the twin's pictures on this machine. Another driver draws other pixels, and a policy that sees them acts otherwise."""

from functools import cache

from mujoco.gl_context import GLContext

__all__ = ["renderer_name"]


@cache
def renderer_name() -> str:
    """Such as "llvmpipe (LLVM 19.1.7, 256 bits), OpenGL 4.5 (Compatibility Profile) Mesa 25.0.7"; opens a picture of 8x8 to ask."""
    from OpenGL import GL

    context = GLContext(8, 8)
    context.make_current()
    try:
        names = [GL.glGetString(name) for name in (GL.GL_RENDERER, GL.GL_VERSION)]
    finally:
        context.free()
    renderer, opengl = (name.decode() if name else "unknown" for name in names)
    return f"{renderer}, OpenGL {opengl}"
